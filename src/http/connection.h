// Connection: a client's socket with deadlines.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <sys/uio.h>

#include "base/caller.h"
#include "base/clock.h"
#include "base/task.h"
#include "http/event_loop.h"
#include "http/handler.h"
#include "http/tls_channel.h"

namespace flowstore::http {

class ServerTls;

// How a piece of input or output ended.
enum class Io : std::uint8_t {
  ok,
  closed,   // by the client, or broken
  expired,  // the deadline passed first
};

// Owned by one session and used by one coroutine at a time, on its loop's thread. Output tries the
// system call first and waits only when the kernel's buffer is full.
class Connection {
 public:
  enum class Phase : std::uint8_t {
    idle,       // between requests: may be closed at any time
    reading,    // a head or body is being waited for
    working,    // the handler runs: no deadline
    answering,  // the same, and the client has sent all there is to wait for
    writing,
  };
  using Socket = boost::asio::ip::tcp::socket;

  // The loop counted the connection with expect_connection().
  Connection(EventLoop& loop, Socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  EventLoop& loop() noexcept { return loop_; }
  const Peer& peer() const noexcept { return peer_; }

  Phase phase() const noexcept { return phase_; }
  Clock::Instant deadline() const noexcept { return deadline_; }
  void set_working() noexcept;
  void set_answering() noexcept;
  void set_deadline(Phase phase, Clock::Duration from_now) noexcept;

  // Agrees with the client on TLS, which all that follows goes through then. Before anything else;
  // not ok if there is no such client.
  Task<Io> secure(ServerTls& tls);

  // Takes what has arrived, without waiting; ok with a `size` of 0 if that is nothing.
  Io receive_now(std::span<char> buffer, std::size_t& size) noexcept;
  // Waits for at least one byte. `size` is 0 unless ok.
  Task<Io> receive(std::span<char> buffer, std::size_t& size);
  // Waits until there is something to read, holding no buffer.
  Task<Io> wait_readable();

  // Sends what the kernel takes at once; returns the bytes taken, or -1 if the connection is gone.
  // MSG_MORE if more follows.
  ssize_t send_now(std::span<const iovec> pieces, bool is_more_to_come) noexcept;
  // Sends everything, waiting as long as the client takes some; if more is to come, a part of it
  // may stay behind.
  Task<Io> send(std::string_view bytes, bool is_more_to_come);
  // Sends [offset, offset + length) of a file by sendfile; closed if the file turns out shorter.
  Task<Io> send_file(int file, std::uint64_t offset, std::uint64_t length);

  // Whether something was taken by the calls above and not by the kernel; sending nothing, with
  // nothing to come, waits for the kernel to take it.
  bool has_unsent() const noexcept { return tls_ != nullptr && tls_->has_unsent(); }
  // An answer was cut short: the end of the connection will not look like an orderly one, where
  // that can be told.
  void break_off() noexcept {
    if (tls_) tls_->break_off();
  }

  // No more output; what the client still sends is thrown away for a short while, because closing
  // with unread input would make the kernel discard the answer too.
  Task<> linger();

  // Whoever waits for the answer.
  const Caller& caller() const noexcept { return caller_; }

  // Called by the loop.
  // Asks the kernel, while the client has nothing left to send, whether it has closed its side: a
  // client that will send no more does not wait for answers either, as Node.js has it.
  void look_for_caller() noexcept;
  void expire() noexcept;  // the deadline has passed
  void cancel() noexcept;  // ends the wait that is going on, as if the client had left
  void abort() noexcept;   // breaks everything off
  void set_index(std::size_t index) noexcept { index_ = index; }
  std::size_t index() const noexcept { return index_; }

 private:
  // What a wait would end with before it begins: a deadline may pass while nobody waits.
  Io state() const noexcept;
  Io why_not(const boost::system::error_code& error) noexcept;
  Task<Io> wait_writable();
  Task<Io> wait_for(Socket::wait_type type);

  // The same calls without and with TLS.
  Task<Io> receive_plain(std::span<char> buffer, std::size_t& size);
  Task<Io> receive_tls(std::span<char> buffer, std::size_t& size);
  Task<Io> wait_readable_plain();
  Task<Io> wait_readable_tls();
  Task<Io> send_plain(std::string_view bytes, bool is_more_to_come);
  Task<Io> send_tls(std::string_view bytes, bool is_more_to_come);
  Task<Io> send_file_plain(int file, std::uint64_t offset, std::uint64_t length);
  Task<Io> send_file_tls(int file, std::uint64_t offset, std::uint64_t length);

  EventLoop& loop_;
  Socket socket_;
  std::unique_ptr<TlsChannel> tls_;  // null: in the clear
  Peer peer_;
  std::size_t index_ = 0;
  Caller caller_;
  Clock::Instant deadline_ = Clock::Instant::max();
  Phase phase_ = Phase::idle;
  bool is_expired_ = false;
  bool is_aborted_ = false;
};

}  // namespace flowstore::http
