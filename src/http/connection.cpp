#include "http/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

namespace flowstore::http {
namespace {

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

// One sendfile call at most: large enough that the calls do not show, small enough that the other
// connections of the loop do not wait for long.
constexpr std::uint64_t kSendfileBytes = 128 * 1024;

// How long and how much an early answer waits for a client that is still sending.
constexpr std::chrono::seconds kLingerTime{5};
constexpr std::size_t kLingerBytes = 16 << 20;

Peer peer_of(const Connection::Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  Peer peer;
  if (error) return peer;
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  }
  peer.address = address.to_string();
  peer.port = endpoint.port();
  return peer;
}

}  // namespace

Connection::Connection(EventLoop& loop, Socket socket)
    : loop_(loop), socket_(std::move(socket)), peer_(peer_of(socket_)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);  // Asio's accept does not
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  loop_.add(*this);
  loop_.environment().observer.connections_changed(1);
}

Connection::~Connection() {
  loop_.remove(*this);
  loop_.environment().observer.connections_changed(-1);
}

void Connection::set_working() noexcept {
  phase_ = Phase::working;
  is_expired_ = false;
  deadline_ = Clock::Instant::max();
}

void Connection::set_answering() noexcept {
  set_working();
  phase_ = Phase::answering;
}

void Connection::set_deadline(Phase phase, Clock::Duration from_now) noexcept {
  phase_ = phase;
  is_expired_ = false;
  deadline_ = loop_.coarse_now() + from_now;
}

Io Connection::receive_now(std::span<char> buffer, std::size_t& size) noexcept {
  if (tls_) return tls_->receive(buffer, size) == TlsChannel::Input::ended ? Io::closed : Io::ok;
  size = 0;
  ssize_t got;
  do {
    got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got > 0) size = static_cast<std::size_t>(got);
  const bool is_empty = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  return got > 0 || is_empty ? Io::ok : Io::closed;
}

Task<Io> Connection::receive(std::span<char> buffer, std::size_t& size) {
  return tls_ ? receive_tls(buffer, size) : receive_plain(buffer, size);
}

Task<Io> Connection::receive_plain(std::span<char> buffer, std::size_t& size) {
  size = 0;
  if (const Io io = state(); io != Io::ok) co_return io;
  const auto target = boost::asio::buffer(buffer.data(), buffer.size());
  const auto [error, received] = co_await socket_.async_read_some(target, kAwait);
  if (error) co_return why_not(error);
  size = received;
  co_return Io::ok;
}

Task<Io> Connection::wait_readable() { return tls_ ? wait_readable_tls() : wait_readable_plain(); }

Task<Io> Connection::wait_readable_plain() {
  if (const Io io = state(); io != Io::ok) co_return io;
  const auto [error] = co_await socket_.async_wait(Socket::wait_read, kAwait);
  co_return error ? why_not(error) : Io::ok;
}

Task<Io> Connection::wait_writable() {
  set_deadline(Phase::writing, loop_.environment().limits.write_timeout);
  if (const Io io = state(); io != Io::ok) co_return io;
  const auto [error] = co_await socket_.async_wait(Socket::wait_write, kAwait);
  co_return error ? why_not(error) : Io::ok;
}

ssize_t Connection::send_now(std::span<const iovec> pieces, bool is_more_to_come) noexcept {
  if (tls_) return tls_->send(pieces, is_more_to_come);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg only reads them
  message.msg_iovlen = pieces.size();
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (is_more_to_come ? MSG_MORE : 0);
  const int socket = socket_.native_handle();
  const iovec& first = pieces.front();
  const bool is_one_piece = pieces.size() == 1;
  ssize_t sent;
  do {
    // The kernel has less to read for one piece, and that is the usual case.
    sent = is_one_piece ? ::send(socket, first.iov_base, first.iov_len, flags)
                        : ::sendmsg(socket, &message, flags);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
  return sent;
}

Task<Io> Connection::send(std::string_view bytes, bool is_more_to_come) {
  return tls_ ? send_tls(bytes, is_more_to_come) : send_plain(bytes, is_more_to_come);
}

Task<Io> Connection::send_plain(std::string_view bytes, bool is_more_to_come) {
  while (!bytes.empty()) {
    const iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
    const ssize_t sent = send_now(std::span(&piece, 1), is_more_to_come);
    if (sent < 0) co_return Io::closed;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (bytes.empty()) break;
    const Io waited = co_await wait_writable();
    if (waited != Io::ok) co_return waited;
  }
  co_return Io::ok;
}

Task<Io> Connection::send_file(int file, std::uint64_t offset, std::uint64_t length) {
  return tls_ ? send_file_tls(file, offset, length) : send_file_plain(file, offset, length);
}

Task<Io> Connection::send_file_plain(int file, std::uint64_t offset, std::uint64_t length) {
  auto position = static_cast<off_t>(offset);
  const bool is_long = length > kSendfileBytes;  // a single piece need not wait for the others
  while (length > 0) {
    if (is_long) co_await loop_.pieces().next();
    const auto count = static_cast<std::size_t>(std::min(length, kSendfileBytes));
    const ssize_t sent = ::sendfile(socket_.native_handle(), file, &position, count);
    if (sent > 0) {
      length -= static_cast<std::uint64_t>(sent);
      continue;
    }
    if (sent == 0) co_return Io::closed;  // somebody shortened the file
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return Io::closed;
    const Io waited = co_await wait_writable();
    if (waited != Io::ok) co_return waited;
  }
  co_return Io::ok;
}

Task<> Connection::linger() {
  // Says goodbye; what still comes need not be understood.
  tls_.reset();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  set_deadline(Phase::reading, kLingerTime);
  std::array<char, 16 * 1024> trash{};
  std::size_t total = 0;
  Io io = Io::ok;
  while (io == Io::ok && total < kLingerBytes) {
    std::size_t size = 0;
    io = co_await receive(trash, size);
    total += size;
  }
}

void Connection::look_for_caller() noexcept {
  if (phase_ != Phase::answering || caller_.has_left()) return;
  if (tls_) {
    if (tls_->look() == TlsChannel::Input::ended) caller_.leave();
    return;
  }
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  const bool is_broken = got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
  if (got == 0 || is_broken) caller_.leave();
}

void Connection::expire() noexcept {
  is_expired_ = true;
  deadline_ = Clock::Instant::max();
  cancel();
}

void Connection::cancel() noexcept {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::abort() noexcept {
  is_aborted_ = true;
  caller_.leave();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  cancel();
}

Io Connection::state() const noexcept {
  if (is_aborted_) return Io::closed;
  return is_expired_ ? Io::expired : Io::ok;
}

Io Connection::why_not(const boost::system::error_code& error) noexcept {
  if (error == boost::asio::error::operation_aborted && is_expired_) return Io::expired;
  return Io::closed;
}

}  // namespace flowstore::http
