// Connector: HTTP requests to other services whose bodies stream, on the caller's own event loop.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/task.h"
#include "http/client_trust.h"
#include "http/dialler.h"
#include "http/places.h"

namespace flowstore::http {

struct OutgoingRequest {
  OutgoingRequest() = default;

  std::string method;  // "PUT"
  std::string target;  // as it goes on the wire: "/bucket/key?uploads"
  // With Host; without Content-Length and Connection, which are added.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;         // sent unless there is a source; must outlive send()
  ByteSource* source = nullptr;  // a body whose size() is known; must outlive send()
  std::chrono::milliseconds connect_timeout{1000};  // a place in the line, name, TCP and TLS
  // Without any progress: of sending, of waiting for the head, of each piece of the answer's body.
  std::chrono::milliseconds timeout{2000};
  // Of the head of the answer, whatever the progress.
  Instant deadline = Instant::max();
};

// What failed: Error::code() of an Error of kind unavailable, whose message is for the log and may
// name hosts.
// Nothing reached the service: the request can be sent again.
inline constexpr std::string_view kNotSent = "not_sent";
// The request may have been carried out.
inline constexpr std::string_view kNoAnswer = "no_answer";
// The body of the answer ended early.
inline constexpr std::string_view kCutShort = "cut_short";

// An answer. Its body is pulled from the connection, which can be used again when all of it has
// been pulled, and is closed if the Reply dies before. Used by one task at a time, on the executor
// that sent the request, and gone before that is.
class Reply : public ByteSource {
 public:
  virtual int status() const = 0;
  // By its lower-case name; empty if there is none.
  virtual std::string_view header(std::string_view name) const = 0;
};

struct ConnectorOptions {
  ConnectorOptions() = default;

  // In use at a time; others wait in line, first come first served.
  std::size_t max_connections = 128;
  std::size_t max_idle = 64;
  std::chrono::seconds idle_timeout{30};
};

// Connections that are kept open and shared by all event loops, each of which runs on one thread at
// a time. Safe to use from any thread; must outlive every Reply.
class Connector {
 public:
  explicit Connector(const Trust& trust, ConnectorOptions options = ConnectorOptions());
  ~Connector();

  // Sends, and returns when the head of the answer is in. An answer that comes before the whole
  // body has been sent is taken, and the connection is not used again. invalid: a name or value
  // with a control character would be another header. An error of `source` is returned as it is.
  Task<Result<std::unique_ptr<Reply>>> send(const Origin& origin, OutgoingRequest request);

 private:
  class KeptReply;

  struct Idle {
    Idle() = default;

    Origin origin;
    Line line;
    Instant since{};
  };

  // A wire for one request, and what goes with it.
  struct Turn {
    Turn() = default;

    Places::Place place;
    std::unique_ptr<Wire> wire;
  };

  Task<Result<Turn>> take(const Origin& origin, const OutgoingRequest& request);
  std::optional<Line> take_idle(const Origin& origin);
  void keep(const Origin& origin, Line line);

  ConnectorOptions options_;
  Dialler dialler_;
  Places places_;
  std::mutex mutex_;
  std::deque<Idle> idle_;  // guarded by mutex_; the one used last is last
};

}  // namespace flowstore::http
