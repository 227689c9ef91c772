#include "http/wire.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http/tls_socket.h"

namespace flowstore::http {
namespace {

using std::chrono::steady_clock;
using Descriptor = boost::asio::posix::stream_descriptor;

// What one task may move before the others get their turn: half a millisecond's work.
constexpr std::size_t kFairBytes = 1U << 20;

std::string text_of(int error) { return std::system_category().message(error); }

Error failed(std::string why) { return {ErrorKind::unavailable, "wire", std::move(why)}; }

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

bool is_quiet(const Line& line) {
  if (line.tls && SSL_has_pending(line.tls.get()) != 0) return false;
  char byte = 0;
  const ssize_t got = ::recv(line.socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && would_block(errno);
}

// Arms one timer for many waits: a wait that ends in time leaves it alone, and when it goes off too
// early it is set to what is waited for by then. Lives with the wire; the timer's handler holds it
// only while it runs, and finds nothing once the wire has gone.
struct Wire::Watch : std::enable_shared_from_this<Watch> {
  Watch(const Executor& executor, int socket) : descriptor(executor, socket), timer(executor) {}
  // The socket is the wire's.
  ~Watch() { descriptor.release(); }

  void begin(Instant deadline) {
    until = deadline;
    is_waiting = true;
    is_late = false;
    if (!is_armed || timer.expiry() > until) arm();
  }

  // False: the deadline came first.
  bool end() {
    is_waiting = false;
    return !is_late;
  }

  void arm() {
    is_armed = true;
    timer.expires_at(until);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto watch = weak.lock();
      if (watch && !error) watch->ring();
    });
  }

  void ring() {
    is_armed = false;
    if (!is_waiting) return;
    if (steady_clock::now() < until) return arm();
    is_late = true;
    descriptor.cancel();
  }

  Descriptor descriptor;
  boost::asio::steady_timer timer;
  Instant until;
  bool is_armed = false;
  bool is_waiting = false;
  bool is_late = false;
};

Wire::Wire(const Executor& executor, Line line)
    : socket_(std::move(line.socket)),
      tls_(std::move(line.tls)),
      watch_(std::make_shared<Watch>(executor, socket_.get())) {}

Wire::~Wire() = default;

Line Wire::release() {
  watch_.reset();
  Line line;
  line.socket = std::move(socket_);
  line.tls = std::move(tls_);
  return line;
}

Task<bool> Wire::wait(Try need, Instant deadline) {
  unfair_bytes_ = 0;
  watch_->begin(deadline);
  const auto type = need == Try::needs_output ? Descriptor::wait_write : Descriptor::wait_read;
  boost::system::error_code error;
  const boost::asio::use_awaitable_t<> token;
  co_await watch_->descriptor.async_wait(type, boost::asio::redirect_error(token, error));
  const bool is_in_time = watch_->end();
  // What came at the very last moment has come.
  co_return is_in_time || !error;
}

Task<bool> Wire::wait_for_either(Instant deadline) {
  unfair_bytes_ = 0;
  watch_->begin(deadline);
  auto either = boost::asio::experimental::make_parallel_group(
      watch_->descriptor.async_wait(Descriptor::wait_read, boost::asio::deferred),
      watch_->descriptor.async_wait(Descriptor::wait_write, boost::asio::deferred));
  const boost::asio::use_awaitable_t<> token;
  const auto [order, input, output] =
      co_await either.async_wait(boost::asio::experimental::wait_for_one(), token);
  const bool is_in_time = watch_->end();
  co_return is_in_time || !input || !output;
}

Task<> Wire::be_fair() {
  if (unfair_bytes_ < kFairBytes) co_return;
  unfair_bytes_ = 0;
  const boost::asio::use_awaitable_t<> token;
  co_await boost::asio::post(watch_->descriptor.get_executor(), token);
}

Task<Status> Wire::open(Instant deadline) {
  const bool is_there = co_await wait(Try::needs_output, deadline);
  if (!is_there) co_return failed("the connection was not made in time");
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) co_return failed(text_of(error));
  while (tls_) {
    ERR_clear_error();
    const int result = SSL_connect(tls_.get());
    if (result == 1) break;
    const Moved step = not_moved_tls(result, 0);
    if (step.outcome == Try::ended) co_return failed("the connection was closed");
    if (step.outcome == Try::failed) co_return failed(failure_);
    const bool is_in_time = co_await wait(step.outcome, deadline);
    if (!is_in_time) co_return failed("TLS was not agreed on in time");
  }
  co_return Status();
}

Moved Wire::moved(std::size_t bytes) {
  unfair_bytes_ += bytes;
  return {Try::moved, bytes};
}

Moved Wire::not_moved(int error, Try need) {
  if (would_block(error)) return {need, 0};
  failure_ = text_of(error);
  return {Try::failed, 0};
}

// `bytes` were moved before the result that is no success.
Moved Wire::not_moved_tls(int result, std::size_t bytes) {
  const int error = SSL_get_error(tls_.get(), result);
  if (bytes > 0) return moved(bytes);
  if (error == SSL_ERROR_WANT_READ) return {Try::needs_input, 0};
  if (error == SSL_ERROR_WANT_WRITE) return {Try::needs_output, 0};
  if (error == SSL_ERROR_ZERO_RETURN) return {Try::ended, 0};
  failure_ = error == SSL_ERROR_SYSCALL && errno != 0 ? text_of(errno) : tls_failure(tls_.get());
  // There is nobody left to say goodbye to.
  SSL_set_quiet_shutdown(tls_.get(), 1);
  return {Try::failed, 0};
}

Moved Wire::receive(std::span<char> into) {
  if (tls_) return receive_tls(into);
  acknowledge_at_once(socket_.get());
  const ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
  if (got > 0) return moved(static_cast<std::size_t>(got));
  return got == 0 ? Moved{Try::ended, 0} : not_moved(errno, Try::needs_input);
}

// A record has 16 KiB at most: as many as fit.
Moved Wire::receive_tls(std::span<char> into) {
  std::size_t total = 0;
  while (total < into.size()) {
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(tls_.get(), into.data() + total, into.size() - total, &got);
    if (result != 1) return not_moved_tls(result, total);
    total += got;
  }
  return moved(total);
}

Moved Wire::give(std::string_view first, std::string_view second) {
  if (tls_) return give_tls(first.empty() ? second : first);
  std::array<iovec, 2> parts{};
  // The kernel only reads them.
  parts[0] = {const_cast<char*>(first.data()), first.size()};
  parts[1] = {const_cast<char*>(second.data()), second.size()};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t taken = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  if (taken >= 0) return moved(static_cast<std::size_t>(taken));
  return not_moved(errno, Try::needs_output);
}

Moved Wire::give_tls(std::string_view text) {
  std::size_t taken = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(tls_.get(), text.data(), text.size(), &taken);
  return result == 1 ? moved(taken) : not_moved_tls(result, 0);
}

}  // namespace flowstore::http
