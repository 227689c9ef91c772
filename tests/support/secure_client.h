// A RawClient that speaks TLS.

#pragma once

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "support/raw_client.h"
#include "support/test_authority.h"

namespace flowstore {

// How a SecureClient begins.
struct SecureOptions {
  std::string authority;  // PEM file of whom it believes
  std::string host = "localhost";
  int version = 0;                 // such as TLS1_2_VERSION; 0: what both can do
  SSL_SESSION* session = nullptr;  // to be taken up again
  int receive_buffer = 0;
};

class SecureClient final : public RawClient {
 public:
  // Throws with OpenSSL's reason if hands cannot be shaken.
  SecureClient(std::uint16_t port, const SecureOptions& options)
      : RawClient(port, options.receive_buffer),
        context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
        tls_(begin(options)) {
    if (SSL_connect(tls_.get()) != 1) fail();
  }
  // Leaves without a word unless close() was called.
  ~SecureClient() override { SSL_set_quiet_shutdown(tls_.get(), 1); }

  // Says goodbye, and sends no more.
  void close() {
    SSL_shutdown(tls_.get());
    finish_sending();
  }

  // Whether the server said goodbye; after the end.
  bool was_orderly() const { return was_orderly_; }
  bool is_resumed() const { return SSL_session_reused(tls_.get()) == 1; }
  SSL_SESSION* session() const { return SSL_get1_session(tls_.get()); }
  int version() const { return SSL_version(tls_.get()); }
  long serial() const {
    const std::unique_ptr<X509, FreeOpenSsl> shown(SSL_get1_peer_certificate(tls_.get()));
    return ASN1_INTEGER_get(X509_get_serialNumber(shown.get()));
  }
  // Past TLS, as they are.
  bool send_raw(std::string_view bytes) {
    return ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Asks the server for new keys, too.
  void renew_keys() { SSL_key_update(tls_.get(), SSL_KEY_UPDATE_REQUESTED); }

 protected:
  ssize_t send_some(std::string_view bytes) override {
    return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  ssize_t receive_some(char* into, std::size_t size) override {
    ERR_clear_error();
    errno = 0;
    const int got = SSL_read(tls_.get(), into, static_cast<int>(size));
    if (got > 0) return got;
    const int error = SSL_get_error(tls_.get(), got);
    was_orderly_ = error == SSL_ERROR_ZERO_RETURN;
    if (error != SSL_ERROR_WANT_READ) return 0;
    errno = EAGAIN;
    return -1;
  }

 private:
  struct Free {
    void operator()(SSL* tls) const noexcept {
      SSL_shutdown(tls);
      SSL_free(tls);
    }
  };

  SSL* begin(const SecureOptions& options) {
    SSL_CTX_load_verify_locations(context_.get(), options.authority.c_str(), nullptr);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_AUTO_RETRY);
    SSL* const tls = SSL_new(context_.get());
    if (options.version != 0) {
      SSL_set_min_proto_version(tls, options.version);
      SSL_set_max_proto_version(tls, options.version);
      SSL_set_security_level(tls, 0);
    }
    if (options.session != nullptr) SSL_set_session(tls, options.session);
    SSL_set1_host(tls, options.host.c_str());
    SSL_set_fd(tls, socket());
    return tls;
  }

  [[noreturn]] static void fail() {
    // The last one is of TLS; those before say what it came from.
    const char* const words = ERR_reason_error_string(ERR_peek_last_error());
    throw std::runtime_error(words == nullptr ? "no TLS" : words);
  }

  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, Free> tls_;
  bool was_orderly_ = false;
};

// The two PEM files that a server wants, in a folder that lives as long as this.
class IdentityFiles {
 public:
  explicit IdentityFiles(const TestIdentity& identity) {
    char name[] = "/tmp/flowstore-identity-XXXXXX";
    folder_ = ::mkdtemp(name);
    write(identity);
  }
  ~IdentityFiles() { std::filesystem::remove_all(folder_); }
  IdentityFiles(const IdentityFiles&) = delete;
  IdentityFiles& operator=(const IdentityFiles&) = delete;

  std::string certificate() const { return folder_ / "tls.crt"; }
  std::string key() const { return folder_ / "tls.key"; }

  void write(const TestIdentity& identity) const {
    write_certificate(identity);
    const File file(std::fopen(key().c_str(), "w"), &std::fclose);
    PEM_write_PrivateKey(file.get(), identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
  void write_certificate(const TestIdentity& identity) const {
    const File file(std::fopen(certificate().c_str(), "w"), &std::fclose);
    PEM_write_X509(file.get(), identity.certificate.get());
  }

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

  std::filesystem::path folder_;
};

}  // namespace flowstore
