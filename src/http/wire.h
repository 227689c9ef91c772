// Wire: the bytes of one outgoing connection, plain or through TLS.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "base/task.h"
#include "http/tls.h"

namespace flowstore::http {

// The client lives in real time, as networks do, and takes no Clock.
using Instant = std::chrono::steady_clock::time_point;

// A connection that nobody uses at the moment: bound to no event loop.
struct Line {
  Line() = default;

  FileDescriptor socket;  // non-blocking
  Tls tls;                // null: plain
};

// Still there, and nothing has come unasked: a peer that says something between two requests, or
// has closed the connection, is not to be asked again.
bool is_quiet(const Line& line);

// How a try to move bytes went.
enum class Try : std::uint8_t {
  moved,         // some bytes
  needs_input,   // none; again when the peer has said something
  needs_output,  // none; again when the kernel takes more
  ended,         // none, and none will come: the peer has said its last word
  failed,        // the connection is broken
};

struct Moved {
  Try outcome;
  std::size_t bytes;  // 0 unless moved
};

// A line in use, on one event loop that runs on one thread at a time, by one task at a time. Tries
// each system call first: whoever uses it waits only where the call would block.
class Wire {
 public:
  Wire(const Executor& executor, Line line);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool is_tls() const noexcept { return tls_ != nullptr; }

  // Waits until the connection that was begun is there, and speaks TLS if the line has it. Errors
  // are sentences for the log, of kind unavailable.
  Task<Status> open(Instant deadline);

  // Takes what has come, as far as it fits.
  Moved receive(std::span<char> into);
  // Gives the kernel what it takes, of one text and then of the other.
  Moved give(std::string_view first, std::string_view second);
  // Why the latest try failed; for the log.
  const std::string& failure() const noexcept { return failure_; }

  // Waits until the try may go better: for the peer after needs_input, for the kernel after
  // needs_output. False: the deadline came first.
  Task<bool> wait(Try need, Instant deadline);
  // The same for either.
  Task<bool> wait_for_either(Instant deadline);

  // Lets the loop's other tasks go on if much has been moved without a wait: a peer that is always
  // ready must not keep them from their turn.
  Task<> be_fair();

  // Lets go of the line, so that it can be used on another loop. The wire is of no use then.
  Line release();

 private:
  // The socket and its deadline.
  struct Watch;

  Moved receive_tls(std::span<char> into);
  Moved give_tls(std::string_view text);
  Moved moved(std::size_t bytes);
  Moved not_moved(int error, Try need);
  Moved not_moved_tls(int result, std::size_t bytes);

  FileDescriptor socket_;
  Tls tls_;                       // above the socket, which it needs to the end
  std::shared_ptr<Watch> watch_;  // shared with nobody, but its timer's handler looks for it
  std::size_t unfair_bytes_ = 0;  // moved since the task has last waited
  std::string failure_;
};

}  // namespace flowstore::http
