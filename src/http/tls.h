// TlsClient: TLS to other services, over OpenSSL.

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "http/trust.h"

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace flowstore::http {

// Says goodbye to the peer as far as that can be done at once.
struct FreeTls {
  void operator()(ssl_st* session) const noexcept;
};
using Tls = std::unique_ptr<ssl_st, FreeTls>;

// What all connections through TLS share: whom to believe, and the sessions that services let us
// take up again, which saves a round trip and the check of a signature. TLS 1.2 and later. Safe to
// use from any thread; outlives what it makes.
class TlsClient {
 public:
  // `trust` must outlive the client. Certificates are read when TLS is used for the first time, and
  // from the system's folder when they are first needed; where the system has but one file for all
  // of them, that costs 30 ms.
  explicit TlsClient(const Trust& trust) : trust_(trust) {}
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // For a non-blocking socket, which must outlive it, to a service that has to prove to be `host`,
  // a name or an address. Nothing has been said yet. Fails if OpenSSL or the trusted certificates
  // cannot be used.
  Result<Tls> start(const std::string& host, std::uint16_t port, int socket);

 private:
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  struct FreeSession {
    void operator()(ssl_session_st* session) const noexcept;
  };
  // The latest session with one service.
  struct Remembered {
    std::unique_ptr<ssl_session_st, FreeSession> session;
  };

  // For OpenSSL; takes the session over if it returns 1.
  static int remember(ssl_st* connection, ssl_session_st* session);
  void set_up();
  // False if OpenSSL says no.
  bool believe_authorities();
  Remembered& memory_of(const std::string& host, std::uint16_t port);
  void take_up_again(ssl_st* connection, Remembered& memory);

  const Trust& trust_;
  std::once_flag is_set_up_;
  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  std::string failure_;  // to set up; empty: none
  std::mutex mutex_;
  // Guarded by mutex_. Entries stay for good: connections know their address.
  std::unordered_map<std::string, Remembered> remembered_;
};

// How tls_failure() begins where it is about a certificate.
inline constexpr std::string_view kNotAccepted = "the certificate is not accepted";

// Why the latest call of OpenSSL on this thread and connection failed: in OpenSSL's words or, of a
// certificate, in those that say what is wrong with it.
std::string tls_failure(const ssl_st* connection);

}  // namespace flowstore::http
