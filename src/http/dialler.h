// Dialler: making connections to other services.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "base/task.h"
#include "http/look_ups.h"
#include "http/tls.h"
#include "http/trust.h"
#include "http/wire.h"

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

// Safe to use from any thread; outlives the connections that it makes.
class Dialler {
 public:
  // `trust` must outlive the dialler.
  explicit Dialler(const Trust& trust) : tls_(trust) {}

  // A connection that is there, with TLS agreed on and the service's name proven. The addresses of
  // the name are tried one after the other, each for its share of the time. Errors are sentences
  // for the log, of kind unavailable.
  Task<Result<std::unique_ptr<Wire>>> dial(const Origin& origin, Instant deadline);

 private:
  using Endpoint = boost::asio::ip::tcp::endpoint;

  Task<Result<std::unique_ptr<Wire>>> dial_one(const Origin& origin, const Endpoint& endpoint,
                                               Instant deadline);
  Result<Line> begin(const Origin& origin, const Endpoint& endpoint);

  LookUps look_ups_;
  TlsClient tls_;
};

}  // namespace flowstore::http
