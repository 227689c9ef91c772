// Dialler: making connections to other services.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "base/task.h"
#include "http/client_trust.h"
#include "http/wire.h"

struct ssl_ctx_st;

namespace flowstore::http {

// Where requests go.
struct Origin {
  Origin() = default;
  Origin(std::string name, std::uint16_t number, bool is_encrypted)
      : host(std::move(name)), port(number), is_tls(is_encrypted) {}
  bool operator==(const Origin&) const = default;

  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 443;
  bool is_tls = true;
};

// Safe to use from any thread.
class Dialler {
 public:
  // Reads the trusted certificates. Throws std::runtime_error if OpenSSL cannot be used.
  explicit Dialler(const Trust& trust);
  ~Dialler();

  // A connection that is there, with TLS agreed on and the service's name proven. The addresses of
  // the name are tried one after the other, each for its share of the time. Errors are sentences
  // for the log.
  Task<Result<std::unique_ptr<Wire>>> dial(const Origin& origin, Instant deadline);

 private:
  using Endpoint = boost::asio::ip::tcp::endpoint;

  struct FreeContext {
    void operator()(ssl_ctx_st* context) const noexcept;
  };

  static Task<Result<std::vector<Endpoint>>> resolve(const Origin& origin, Instant deadline);
  Task<Result<std::unique_ptr<Wire>>> dial_one(const Origin& origin, const Endpoint& endpoint,
                                               Instant deadline);
  Result<Line> begin(const Origin& origin, const Endpoint& endpoint) const;
  Tls session_for(const Origin& origin, int socket) const;

  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
};

}  // namespace flowstore::http
