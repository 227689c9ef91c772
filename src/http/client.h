// Client: HTTP requests to other services, over libcurl, never blocking an event loop.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"

namespace flowstore::http {

struct ClientRequest {
  ClientRequest() = default;  // declared: an aggregate in an awaited expression breaks g++ 12

  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds timeout{1000};  // for everything, from the call to the last byte
  std::size_t max_body_bytes = 64 * 1024;   // a longer answer is an error
  bool follow_redirects = true;             // to http and https only; never hands credentials on
};

struct ClientResponse {
  ClientResponse() = default;

  int status = 0;
  std::string body;
  std::string retry_after;  // the header, empty if not sent
};

// Keeps connections open and shares them between all callers. Safe to use from any thread; must
// outlive every task of its own.
class Client {
 public:
  // Trusts the system's certificates and, beside them, those of the file named in the environment
  // variable NODE_EXTRA_CA_CERTS, as Node.js does.
  explicit Client(std::size_t max_connections_per_host = 64);
  ~Client();

  // GET. An answer of any status is a value; no answer (refused, timed out, TLS) is an Error of
  // kind unavailable whose message says why. The caller is resumed on its own executor.
  Task<Result<ClientResponse>> get(ClientRequest request);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace flowstore::http
