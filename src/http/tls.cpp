#include "http/tls.h"

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "http/tls_socket.h"

namespace flowstore::http {
namespace {

// Four records at a time: a large body costs fewer calls of the kernel.
constexpr std::size_t kReadAhead = 64U << 10;
// Where OpenSSL keeps what belongs to the application.
constexpr int kOurs = 0;

Error cannot_start(const std::string& why) {
  return {ErrorKind::unavailable, "tls", "TLS cannot be used: " + why};
}

std::string latest_error() {
  const char* const words = ERR_reason_error_string(ERR_peek_last_error());
  return words == nullptr ? "unknown error" : words;
}

bool is_address(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

// Whom the service has to prove to be.
bool expect_host(SSL* connection, const std::string& host) {
  if (is_address(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  }
  // The macro for it has a cast of C's.
  const bool is_named = SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                 TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str())) == 1;
  SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return is_named && SSL_set1_host(connection, host.c_str()) == 1;
}

}  // namespace

void FreeTls::operator()(ssl_st* session) const noexcept {
  if (SSL_is_init_finished(session) != 0) SSL_shutdown(session);
  SSL_free(session);
  ERR_clear_error();
}

void TlsClient::FreeContext::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

void TlsClient::FreeSession::operator()(ssl_session_st* session) const noexcept {
  SSL_SESSION_free(session);
}

TlsClient::~TlsClient() = default;

void TlsClient::set_up() {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = context_.get();
  const bool is_ready = context != nullptr &&
                        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                        believe_authorities();
  if (!is_ready) {
    if (failure_.empty()) failure_ = latest_error();
    return;
  }
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadAhead);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &TlsClient::remember);
  SSL_CTX_set_ex_data(context, kOurs, this);
}

bool TlsClient::believe_authorities() {
  SSL_CTX* const context = context_.get();
  if (trust_.is_in_anybody()) return true;  // OpenSSL's clients verify nobody unless told to
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_set_default_verify_paths(context) != 1) return false;
  const std::string& extra = trust_.extra_file();
  if (extra.empty() || SSL_CTX_load_verify_file(context, extra.c_str()) == 1) return true;
  failure_ = "a certificate in NODE_EXTRA_CA_CERTS is broken: " + latest_error();
  return false;
}

Result<Tls> TlsClient::start(const std::string& host, std::uint16_t port, int socket) {
  std::call_once(is_set_up_, [this] { set_up(); });
  if (!failure_.empty()) return cannot_start(failure_);
  Tls tls(SSL_new(context_.get()));
  if (!tls || !attach_socket(tls.get(), socket) || !expect_host(tls.get(), host)) {
    return cannot_start(latest_error());
  }
  SSL_set_connect_state(tls.get());
  Remembered& memory = memory_of(host, port);
  SSL_set_ex_data(tls.get(), kOurs, &memory);
  take_up_again(tls.get(), memory);
  return tls;
}

TlsClient::Remembered& TlsClient::memory_of(const std::string& host, std::uint16_t port) {
  const std::lock_guard lock(mutex_);
  return remembered_[host + ":" + std::to_string(port)];
}

void TlsClient::take_up_again(ssl_st* connection, Remembered& memory) {
  std::unique_ptr<SSL_SESSION, FreeSession> own;
  {
    const std::lock_guard lock(mutex_);
    // A copy: OpenSSL notes in a session what befalls its connection.
    if (memory.session) own.reset(SSL_SESSION_dup(memory.session.get()));
  }
  if (own) SSL_set_session(connection, own.get());
}

int TlsClient::remember(ssl_st* connection, ssl_session_st* session) {
  auto& self = *static_cast<TlsClient*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), kOurs));
  auto& memory = *static_cast<Remembered*>(SSL_get_ex_data(connection, kOurs));
  const std::lock_guard lock(self.mutex_);
  memory.session.reset(session);
  return 1;
}

std::string tls_failure(const ssl_st* connection) {
  const long verdict = SSL_get_verify_result(connection);
  if (verdict != X509_V_OK && SSL_get_verify_mode(connection) != SSL_VERIFY_NONE) {
    return std::string(kNotAccepted) + ": " + X509_verify_cert_error_string(verdict);
  }
  const unsigned long error = ERR_peek_last_error();
  const char* const words = error == 0 ? nullptr : ERR_reason_error_string(error);
  return words == nullptr ? "the connection was closed" : std::string("TLS: ") + words;
}

}  // namespace flowstore::http
