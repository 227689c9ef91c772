// Client: HTTP requests to other services, over libcurl, never blocking an event loop.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"

namespace flowstore::http {

struct ClientRequest {
  ClientRequest() = default;  // declared: an aggregate in an awaited expression breaks g++ 12

  std::string url;
  // A name or value with a control character fails the request: it would be another header.
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds timeout{1000};  // for everything, from the call to the last byte
  std::chrono::milliseconds connect_timeout{1000};  // of it, until TCP and TLS are set up
  std::size_t max_body_bytes = 64 * 1024;           // a longer answer, unpacked, is an error
  bool on_new_connection = false;                   // not on one that was used before
  bool follow_redirects = true;  // to http and https only; never hands credentials on
  // To a port of this machine, with nothing secret: by no proxy, and whatever certificate it shows,
  // which is made out to the name that clients know.
  bool stays_here = false;
};

struct ClientResponse {
  ClientResponse() = default;

  int status = 0;
  std::string body;         // unpacked
  std::string retry_after;  // the header, empty if not sent
  std::string date;         // the same
};

// Keeps connections open and shares them between all callers; one thread of its own does the work.
// Safe to use from any thread. Must outlive every task of its own, and be destroyed while the
// executors of those that still wait exist: they get an error.
class Client {
 public:
  // At most `max_requests` run at a time; the others wait in line, inside their own timeout.
  //
  // Trusts the system's certificates and, beside them, those of the file named in the environment
  // variable NODE_EXTRA_CA_CERTS, as Node.js does. Throws std::system_error if no thread can be
  // had.
  explicit Client(std::size_t max_requests = 64);
  ~Client();

  // What the operator should hear about at the start, in one sentence; empty if all is well.
  const std::string& warning() const noexcept;

  // GET. An answer of any status is a value; no answer (refused, timed out, TLS) is an Error of
  // kind unavailable whose message says why, for the log: it may name hosts and addresses. The
  // caller is resumed on its own executor.
  Task<Result<ClientResponse>> get(ClientRequest request);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace flowstore::http
