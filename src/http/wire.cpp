#include "http/wire.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace flowstore::http {
namespace {

using Descriptor = boost::asio::posix::stream_descriptor;

// While the kernel takes no more, how often to look whether the peer has answered already.
constexpr std::chrono::milliseconds kLook{50};
// Two texts that are shorter together go out as one record of TLS.
constexpr std::size_t kJoined = 16U << 10;

std::string text_of(int error) { return std::system_category().message(error); }

Error failed(std::string reason) { return {ErrorKind::unavailable, "wire", std::move(reason)}; }

void acknowledge_quickly(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

// OpenSSL's own way of reading and writing sockets raises SIGPIPE.
int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_read(BIO* bio, char* into, int size) {
  acknowledge_quickly(socket_of(bio));
  const ssize_t got = ::recv(socket_of(bio), into, static_cast<std::size_t>(size), 0);
  BIO_clear_retry_flags(bio);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* from, int size) {
  const ssize_t taken = ::send(socket_of(bio), from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (taken < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(taken);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "flowstore");
    BIO_meth_set_read(made, &bio_read);
    BIO_meth_set_write(made, &bio_write);
    BIO_meth_set_ctrl(made, &bio_control);
    return made;
  }();
  return method;
}

bool is_readable(int descriptor, const SSL* session) {
  if (session != nullptr && SSL_pending(session) > 0) return true;
  pollfd socket{};
  socket.fd = descriptor;
  socket.events = POLLIN;
  return ::poll(&socket, 1, 0) == 1;
}

// Why TLS failed, in OpenSSL's words or, of a certificate, in those that say what is wrong with it.
std::string tls_reason(const SSL* session) {
  const long verdict = SSL_get_verify_result(session);
  if (verdict != X509_V_OK) {
    return std::string("the certificate is not accepted: ") +
           X509_verify_cert_error_string(verdict);
  }
  const unsigned long error = ERR_peek_last_error();
  const char* words = error == 0 ? nullptr : ERR_reason_error_string(error);
  return words == nullptr ? "the connection was closed" : std::string("TLS: ") + words;
}

}  // namespace

void FreeTls::operator()(ssl_st* session) const noexcept { SSL_free(session); }

bool has_said_something(const Line& line) { return is_readable(line.socket.get(), line.tls.get()); }

void attach(ssl_st* session, int socket) {
  BIO* const bio = BIO_new(bio_method());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session, bio, bio);
}

// The timer's handler may be on its way when the wire goes, or when another wait has begun.
struct Wire::Alarm {
  explicit Alarm(const Executor& executor) : timer(executor) {}

  boost::asio::steady_timer timer;
  Descriptor* socket = nullptr;  // what is waited for; null: nothing
  unsigned wait = 0;             // counts them
  bool has_rung = false;
};

Wire::Wire(const Executor& executor, Line line)
    : socket_(executor, line.socket.release()),
      tls_(std::move(line.tls)),
      alarm_(std::make_shared<Alarm>(executor)) {}

Wire::~Wire() {
  alarm_->socket = nullptr;
  alarm_->timer.cancel();
}

Task<bool> Wire::wait_for(Want want, Instant deadline) {
  alarm_->socket = &socket_;
  alarm_->has_rung = false;
  const unsigned wait = ++alarm_->wait;
  alarm_->timer.expires_at(deadline);
  alarm_->timer.async_wait([alarm = alarm_, wait](const boost::system::error_code& error) {
    if (error || alarm->socket == nullptr || alarm->wait != wait) return;
    alarm->has_rung = true;
    alarm->socket->cancel();
  });
  const auto type = want == Want::output ? Descriptor::wait_write : Descriptor::wait_read;
  boost::system::error_code error;
  const boost::asio::use_awaitable_t<> token;
  co_await socket_.async_wait(type, boost::asio::redirect_error(token, error));
  alarm_->socket = nullptr;
  alarm_->timer.cancel();
  co_return !alarm_->has_rung;
}

Task<Status> Wire::open(Instant deadline) {
  const bool is_there = co_await wait_for(Want::output, deadline);
  if (!is_there) co_return failed("the connection was not made in time");
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) co_return failed(text_of(error));
  while (tls_) {
    ERR_clear_error();
    const int result = SSL_connect(tls_.get());
    if (result == 1) break;
    const Want want = verdict_of(result);
    if (want == Want::failure) co_return failed(reason_);
    const bool is_in_time = co_await wait_for(want, deadline);
    if (!is_in_time) co_return failed("TLS was not agreed on in time");
  }
  co_return Status();
}

Wire::Want Wire::verdict_of(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Want::input;
    case SSL_ERROR_WANT_WRITE:
      return Want::output;
    default:
      reason_ = tls_reason(tls_.get());
      return Want::failure;
  }
}

Wire::Want Wire::receive(std::span<char> into, std::size_t& got) {
  if (tls_) {
    ERR_clear_error();
    const int result = SSL_read_ex(tls_.get(), into.data(), into.size(), &got);
    if (result == 1) return Want::nothing;
    if (SSL_get_error(tls_.get(), result) == SSL_ERROR_ZERO_RETURN) {
      got = 0;
      return Want::nothing;
    }
    return verdict_of(result);
  }
  acknowledge_quickly(socket_.native_handle());
  const ssize_t result = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
  if (result >= 0) {
    got = static_cast<std::size_t>(result);
    return Want::nothing;
  }
  if (errno == EAGAIN || errno == EINTR) return Want::input;
  reason_ = text_of(errno);
  return Want::failure;
}

Task<Result<std::size_t>> Wire::read(std::span<char> into, Instant deadline) {
  while (true) {
    std::size_t got = 0;
    const Want want = receive(into, got);
    if (want == Want::nothing) co_return got;
    if (want == Want::failure) co_return failed(reason_);
    const bool is_in_time = co_await wait_for(want, deadline);
    if (!is_in_time) co_return failed("nothing came in time");
  }
}

Wire::Want Wire::give(std::string_view first, std::string_view second, std::size_t& taken) {
  if (tls_) {
    ERR_clear_error();
    const std::string_view next = first.empty() ? second : first;
    const int result = SSL_write_ex(tls_.get(), next.data(), next.size(), &taken);
    return result == 1 ? Want::nothing : verdict_of(result);
  }
  std::array<iovec, 2> parts{};
  const std::array<std::string_view, 2> texts{first, second};
  std::transform(texts.begin(), texts.end(), parts.begin(), [](std::string_view text) {
    return iovec{const_cast<char*>(text.data()), text.size()};
  });
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t result = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  if (result >= 0) {
    taken = static_cast<std::size_t>(result);
    return Want::nothing;
  }
  if (errno == EAGAIN || errno == EINTR) return Want::output;
  reason_ = text_of(errno);
  return Want::failure;
}

Task<Result<bool>> Wire::write(std::string_view first, std::string_view second, Instant deadline,
                               std::size_t& sent) {
  std::string joined;
  if (tls_ && !second.empty() && first.size() + second.size() <= kJoined) {
    joined.append(first).append(second);
    first = joined;
    second = std::string_view();
  }
  while (!first.empty() || !second.empty()) {
    std::size_t taken = 0;
    const Want want = give(first, second, taken);
    if (want == Want::failure) co_return failed(reason_);
    sent += taken;
    const std::size_t of_first = std::min(taken, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(taken - of_first);
    if (want == Want::nothing) continue;
    if (want == Want::output && has_input()) co_return false;
    const Instant look = std::chrono::steady_clock::now() + kLook;
    const bool is_ready = co_await wait_for(want, std::min(look, deadline));
    if (!is_ready && look >= deadline) co_return failed("nothing was taken in time");
  }
  co_return true;
}

bool Wire::has_input() { return is_readable(socket_.native_handle(), tls_.get()); }

Line Wire::release() {
  Line line;
  line.socket = FileDescriptor(socket_.release());
  line.tls = std::move(tls_);
  return line;
}

}  // namespace flowstore::http
