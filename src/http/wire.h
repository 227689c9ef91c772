// Wire: the bytes of one outgoing connection, plain or through TLS.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "base/task.h"

struct ssl_st;

namespace flowstore::http {

using Instant = std::chrono::steady_clock::time_point;

struct FreeTls {
  void operator()(ssl_st* session) const noexcept;
};
using Tls = std::unique_ptr<ssl_st, FreeTls>;

// A connection that nobody uses at the moment: bound to no event loop.
struct Line {
  Line() = default;

  FileDescriptor socket;  // non-blocking
  Tls tls;                // null: plain
};

// A peer that says something unasked, or has closed the connection, is not to be asked again.
bool has_said_something(const Line& line);

// A line in use, on one event loop that runs on one thread at a time. Tries each system call first
// and waits only where it would block. Errors are sentences for the log, of kind unavailable.
class Wire {
 public:
  Wire(const Executor& executor, Line line);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // Waits until the connection that was begun is there, and speaks TLS if the line has it.
  Task<Status> open(Instant deadline);

  // At least one byte; 0 at the end of the stream.
  Task<Result<std::size_t>> read(std::span<char> into, Instant deadline);

  // Both texts, unless the peer begins to answer before it has taken them: then false. `sent` grows
  // by what the kernel has taken.
  Task<Result<bool>> write(std::string_view first, std::string_view second, Instant deadline,
                           std::size_t& sent);

  // The peer has said something, or has gone.
  bool has_input();

  // Lets go of the line, so that it can be used on another loop.
  Line release();

 private:
  enum class Want : std::uint8_t { nothing, input, output, failure };
  struct Alarm;

  Want receive(std::span<char> into, std::size_t& got);
  Want give(std::string_view first, std::string_view second, std::size_t& taken);
  Want verdict_of(int result);
  // False: it is too late.
  Task<bool> wait_for(Want want, Instant deadline);

  boost::asio::posix::stream_descriptor socket_;
  Tls tls_;
  std::shared_ptr<Alarm> alarm_;  // outlives the wire while its timer is on its way
  std::string reason_;            // of the latest failure
};

// For a session of TLS on a non-blocking socket: no signal when the peer is gone, and TCP_QUICKACK
// before each read (see docs/decisions/0011-s3.md).
void attach(ssl_st* session, int socket);

}  // namespace flowstore::http
