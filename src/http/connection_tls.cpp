// Connection over TLS: the same promises, with a channel between it and the socket.

#include <algorithm>
#include <cerrno>
#include <memory>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include "http/connection.h"
#include "http/server_tls.h"

namespace flowstore::http {
namespace {

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

// Read from a file, encrypted and sent at a time.
constexpr std::uint64_t kFilePiece = 128U << 10;

// To a client that took the port for one without TLS.
constexpr std::string_view kNotTls =
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n"
    "This port speaks HTTPS; use https://\r\n";

}  // namespace

Task<Io> Connection::secure(ServerTls& tls) {
  // Nothing of a request is here yet: a server that stops need not wait for it.
  set_deadline(Phase::idle, loop_.environment().limits.handshake_timeout);
  Tls session = tls.begin();
  if (!session) co_return Io::closed;
  tls_ = std::make_unique<TlsChannel>(std::move(session), socket_.native_handle());
  auto outcome = TlsChannel::Handshake::goes_on;
  while (true) {
    outcome = tls_->shake_hands();
    if (outcome != TlsChannel::Handshake::goes_on) break;
    const auto type = tls_->has_unsent() ? Socket::wait_write : Socket::wait_read;
    const Io io = co_await wait_for(type);
    if (io == Io::ok) continue;
    if (io == Io::expired) loop_.environment().observer.handshake_failed();
    tls_->break_off();
    co_return io;
  }
  if (outcome == TlsChannel::Handshake::done) co_return Io::ok;
  loop_.environment().observer.handshake_failed();
  if (outcome == TlsChannel::Handshake::not_tls) {
    tls_.reset();
    const Io io = co_await send(kNotTls, false);
    if (io == Io::ok) co_await linger();
  }
  co_return Io::closed;
}

Task<Io> Connection::wait_for(Socket::wait_type type) {
  if (const Io io = state(); io != Io::ok) co_return io;
  const auto [error] = co_await socket_.async_wait(type, kAwait);
  co_return error ? why_not(error) : Io::ok;
}

// What arrives need not be a client's byte: a piece of a record or a word about keys is none, and
// does not move the deadline.
Task<Io> Connection::wait_readable_tls() {
  while (true) {
    if (const Io io = state(); io != Io::ok) co_return io;
    const TlsChannel::Input input = tls_->look();
    if (input != TlsChannel::Input::nothing) {
      co_return input == TlsChannel::Input::some ? Io::ok : Io::closed;
    }
    const Io io = co_await wait_for(Socket::wait_read);
    if (io != Io::ok) co_return io;
  }
}

Task<Io> Connection::receive_tls(std::span<char> buffer, std::size_t& size) {
  size = 0;
  // A client that sends faster than we read must not keep the loop from its neighbours.
  co_await boost::asio::post(socket_.get_executor(), boost::asio::use_awaitable);
  while (true) {
    if (const Io io = state(); io != Io::ok) co_return io;
    const TlsChannel::Input input = tls_->receive(buffer, size);
    if (input != TlsChannel::Input::nothing) {
      co_return input == TlsChannel::Input::some ? Io::ok : Io::closed;
    }
    const Io io = co_await wait_for(Socket::wait_read);
    if (io != Io::ok) co_return io;
  }
}

Task<Io> Connection::send_tls(std::string_view bytes, bool is_more_to_come) {
  while (true) {
    const iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
    const ssize_t taken = tls_->send(std::span(&piece, 1), is_more_to_come);
    if (taken < 0) co_return Io::closed;
    bytes.remove_prefix(static_cast<std::size_t>(taken));
    if (bytes.empty() && (is_more_to_come || !tls_->has_unsent())) co_return Io::ok;
    if (tls_->has_unsent()) {
      const Io waited = co_await wait_writable();
      if (waited != Io::ok) co_return waited;
    } else {
      co_await boost::asio::post(socket_.get_executor(), boost::asio::use_awaitable);
    }
  }
}

Task<Io> Connection::send_file_tls(int file, std::uint64_t offset, std::uint64_t length) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(std::min(length, kFilePiece));
  while (length > 0) {
    co_await loop_.pieces().next();
    const auto count = static_cast<std::size_t>(std::min(length, kFilePiece));
    const ssize_t got = ::pread(file, buffer.get(), count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) co_return Io::closed;  // somebody shortened the file
    const auto size = static_cast<std::size_t>(got);
    const std::string_view piece(buffer.get(), size);
    const Io io = co_await send_tls(piece, false);
    if (io != Io::ok) co_return io;
    offset += size;
    length -= size;
  }
  co_return Io::ok;
}

}  // namespace flowstore::http
