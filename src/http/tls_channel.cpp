#include "http/tls_channel.h"

#include <algorithm>
#include <cerrno>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace flowstore::http {
namespace {

// The content of one record at most.
constexpr std::size_t kRecordBytes = 16U << 10;
// Handed to the kernel at a time.
constexpr std::size_t kBatchBytes = 64U << 10;
// Taken by one call, so that a fast client does not keep the loop from its neighbours.
constexpr std::size_t kFairBytes = 1U << 20;
// Taken from the kernel by one call, on top of what the caller has room for: a client may talk
// about keys for as long as it likes, which OpenSSL answers and does not tell us of.
constexpr std::size_t kInputBytes = 64U << 10;
// More than a batch and what the protocol itself may add is a client that makes us talk and does
// not listen.
constexpr std::size_t kMaxUnsentBytes = 1U << 20;

bool is_passing(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// Lives as long as the process, as OpenSSL's own do.
BIO_METHOD* channel_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "channel");
    BIO_meth_set_read(made, &TlsChannel::read_socket);
    BIO_meth_set_write(made, &TlsChannel::keep_unsent);
    BIO_meth_set_ctrl(made, &control);
    return made;
  }();
  return method;
}

TlsChannel& channel_of(BIO* bio) { return *static_cast<TlsChannel*>(BIO_get_data(bio)); }

}  // namespace

TlsChannel::TlsChannel(Tls tls, int socket) : socket_(socket), tls_(std::move(tls)) {
  BIO* const bio = BIO_new(channel_method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(tls_.get(), bio, bio);
}

TlsChannel::~TlsChannel() {
  if (is_broken_) SSL_set_quiet_shutdown(tls_.get(), 1);
  tls_.reset();
  flush();
}

int TlsChannel::read_socket(bio_st* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  TlsChannel& self = channel_of(bio);
  if (self.allowance_ == 0) {  // as if nothing had come: who waits for it comes back at once
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t most = std::min(self.allowance_, static_cast<std::size_t>(size));
  const ssize_t got = ::recv(self.socket_, into, most, MSG_DONTWAIT);
  if (got < 0 && is_passing(errno)) BIO_set_retry_read(bio);
  if (got > 0) self.allowance_ -= static_cast<std::size_t>(got);
  return static_cast<int>(got);
}

int TlsChannel::keep_unsent(bio_st* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  TlsChannel& self = channel_of(bio);
  if (self.unsent_.size() > kMaxUnsentBytes) return -1;
  self.unsent_.append(from, static_cast<std::size_t>(size));
  return size;
}

TlsChannel::Handshake TlsChannel::shake_hands() {
  allowance_ = kInputBytes;
  ERR_clear_error();
  const int result = SSL_accept(tls_.get());
  const int error = SSL_get_error(tls_.get(), result);
  const bool is_http = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
  const bool is_there = flush();
  if (is_there && result == 1) return Handshake::done;
  if (is_there && error == SSL_ERROR_WANT_READ) return Handshake::goes_on;
  break_off();
  return is_http ? Handshake::not_tls : Handshake::failed;
}

TlsChannel::Input TlsChannel::why_not(int result) {
  const int error = SSL_get_error(tls_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return Input::nothing;
  // Without a goodbye of the client there is nobody who waits for ours.
  if (error != SSL_ERROR_ZERO_RETURN) break_off();
  return Input::ended;
}

TlsChannel::Input TlsChannel::look() {
  char byte = 0;
  std::size_t got = 0;
  allowance_ = kInputBytes;
  ERR_clear_error();
  const int result = SSL_peek_ex(tls_.get(), &byte, 1, &got);
  const Input input = result == 1 ? Input::some : why_not(result);
  return flush() ? input : Input::ended;
}

TlsChannel::Input TlsChannel::receive(std::span<char> into, std::size_t& size) {
  size = 0;
  Input input = Input::some;
  allowance_ = into.size() + kInputBytes;
  ERR_clear_error();
  while (input == Input::some && size < into.size()) {
    std::size_t got = 0;
    const int result = SSL_read_ex(tls_.get(), into.data() + size, into.size() - size, &got);
    size += got;
    if (result != 1) input = why_not(result);
  }
  // Alerts and new keys are part of the conversation, too.
  if (!flush()) return Input::ended;
  // Why there is no more is said again by the next call.
  return size > 0 ? Input::some : input;
}

bool TlsChannel::encrypt(const char* bytes, std::size_t size) {
  std::size_t taken = 0;
  ERR_clear_error();
  return SSL_write_ex(tls_.get(), bytes, size, &taken) == 1 && taken == size;
}

ssize_t TlsChannel::send(std::span<const iovec> pieces, bool is_more_to_come) {
  std::size_t taken = 0;
  for (const iovec& piece : pieces) {
    const char* next = static_cast<const char*>(piece.iov_base);
    std::size_t left = piece.iov_len;
    while (left > 0) {
      if (unsent_.size() >= kBatchBytes && !flush()) return -1;
      if (unsent_.size() >= kBatchBytes || taken >= kFairBytes) {
        return static_cast<ssize_t>(taken);
      }
      const std::size_t size = std::min(left, kRecordBytes);
      if (!encrypt(next, size)) return -1;
      next += size;
      left -= size;
      taken += size;
    }
  }
  if (!is_more_to_come && !flush()) return -1;
  return static_cast<ssize_t>(taken);
}

bool TlsChannel::flush() {
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    const ssize_t taken =
        ::send(socket_, unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0 && is_passing(errno)) break;
    if (taken < 0) {
      break_off();
      return false;
    }
    sent += static_cast<std::size_t>(taken);
  }
  if (sent == unsent_.size()) {
    // Connections at rest are many: none keeps a buffer.
    std::string().swap(unsent_);
  } else {
    unsent_.erase(0, sent);
  }
  return true;
}

}  // namespace flowstore::http
