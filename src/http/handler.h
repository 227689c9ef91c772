// What crosses between the HTTP core and the program behind it: a Request in, a Response out.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/caller.h"
#include "base/content.h"
#include "base/task.h"

namespace flowstore::http {

struct Header {
  std::string_view name;
  std::string_view value;
};

// The address of the other end of a connection.
struct Peer {
  std::string address;
  std::uint16_t port = 0;
};

// One request whose head has arrived. Every view lives until its answer is written.
class Request {
 public:
  Request(std::string_view method, std::string_view target, std::span<const Header> headers,
          const Peer& peer, ByteSource& body, const Caller& caller)
      : method_(method),
        target_(target),
        headers_(headers),
        peer_(&peer),
        body_(&body),
        caller_(&caller) {}

  std::string_view method() const noexcept { return method_; }  // as sent, upper case: "GET"
  std::string_view target() const noexcept { return target_; }  // as sent, with the query
  std::span<const Header> headers() const noexcept { return headers_; }
  const Peer& peer() const noexcept { return *peer_; }

  // The first header of that name, compared without case; nothing if it was not sent.
  std::optional<std::string_view> header(std::string_view name) const noexcept;

  // For metrics and logs: the pattern of the route that the handler has found, a literal. Empty: a
  // request of no route, which is not counted.
  void set_route(std::string_view pattern) noexcept { route_ = pattern; }
  std::string_view route() const noexcept { return route_; }

  // The body; pulling it for the first time answers `Expect: 100-continue`. Its size() is the
  // Content-Length, 0 without a body, nothing when chunked. A body that ends early or breaks the
  // framing is an Error of kind aborted. What the handler leaves unread the session discards.
  ByteSource& body() noexcept { return *body_; }

  // Whether the client still waits for the answer; noticed within about a second after it has sent
  // the whole request. Lives as long as the connection.
  const Caller& caller() const noexcept { return *caller_; }

 private:
  std::string_view method_;
  std::string_view target_;
  std::span<const Header> headers_;
  const Peer* peer_;
  ByteSource* body_;
  const Caller* caller_;
  std::string_view route_;
};

// One answer. The session adds Date, Connection, Keep-Alive, Content-Length and the security
// headers, and leaves the content out for HEAD.
class Response {
 public:
  explicit Response(int code = 200) : status(code) {}

  Response& add(std::string_view name, std::string value) {
    headers.emplace_back(name, std::move(value));
    return *this;
  }

  int status;
  std::string_view content_type;                                  // a literal; empty: none is sent
  std::vector<std::pair<std::string_view, std::string>> headers;  // names are literals
  // Sent as Last-Modified, but never later than Date (RFC 9110, section 8.8.2.1).
  std::optional<std::chrono::system_clock::time_point> last_modified;
  std::string_view security_policy;  // a literal, in place of the usual Content-Security-Policy
  Content content;
  bool close = false;                // end the connection after this answer
  std::shared_ptr<const void> held;  // dies when the answer was sent, or cannot be; may be null
};

// The program behind the HTTP core. Called on the event loop of the connection, for one request of
// a connection at a time; safe to call from several loops at once.
class Handler {
 public:
  virtual ~Handler() = default;

  virtual Task<Response> handle(Request& request) = 0;
};

}  // namespace flowstore::http
