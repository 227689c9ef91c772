// Connector: HTTP requests to other services whose bodies stream, on the caller's own event loop.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/task.h"
#include "http/dialler.h"
#include "http/idle_lines.h"
#include "http/places.h"
#include "http/trust.h"

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
  bool waits_in_line = false;      // for a place until the deadline: it is no part of that then
  bool on_new_connection = false;  // not on one that was used before
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

// An answer. Its body is pulled from the connection, which can be used again as soon as all of it
// has come, and is closed if the Reply dies before. The size is the body's: 0 where there is none,
// as for HEAD. Pieces have 64 KiB at most. Used by one task at a time, on the executor that sent
// the request, and gone before that is.
class Reply : public ByteSource {
 public:
  virtual int status() const = 0;
  // By its name, in whatever case; empty if there is none.
  virtual std::string_view header(std::string_view name) const = 0;

  // What is not there by then is cut short, however steadily it comes. Without it a body may take
  // as long as it likes.
  virtual void end_by(Instant deadline) noexcept = 0;
};

struct ConnectorOptions {
  ConnectorOptions() = default;

  // In use at a time; others wait in line, first come first served. A Reply that is not read to its
  // end is one: whoever sends another request meanwhile needs two.
  std::size_t max_connections = 128;
  std::size_t max_idle = 64;
  std::chrono::seconds idle_timeout{30};
};

// Connections that are kept open and shared by all event loops, each of which runs on one thread at
// a time. Safe to use from any thread; must outlive every Reply and every task of its own.
class Connector {
 public:
  // For metrics; each number for itself.
  struct Counts {
    std::size_t in_use = 0;  // those that are being made included
    std::size_t idle = 0;
    std::uint64_t opened = 0;  // so far
    std::uint64_t reused = 0;  // requests so far that found a connection
  };

  // `trust` must outlive the connector.
  explicit Connector(const Trust& trust, ConnectorOptions options = ConnectorOptions());
  ~Connector();

  // Sends, and returns when the head of the answer is in. An answer that comes before the whole
  // body has been sent is taken, and the connection is not used again. A GET that finds a kept
  // connection closed goes once more, on a new one. invalid: a name or value with a control
  // character would be another header. An error of `source` is returned as it is. `origin` must
  // outlive the task.
  Task<Result<std::unique_ptr<Reply>>> send(const Origin& origin, OutgoingRequest request);

  Counts counts() const;

 private:
  class KeptReply;

  // A wire for one request, and what goes with it.
  struct Turn {
    Turn() = default;

    Places::Place place;
    std::unique_ptr<Wire> wire;
    bool was_kept = false;  // the wire was used before
  };

  Task<Result<Turn>> take(const Origin& origin, const OutgoingRequest& request);
  // Gives the turn its wire.
  Task<Status> connect(Turn& turn, const Origin& origin, const OutgoingRequest& request,
                       Instant deadline);

  Dialler dialler_;
  Places places_;
  IdleLines idle_;  // below the dialler, which knows their TLS
  std::atomic<std::uint64_t> opened_{0};
  std::atomic<std::uint64_t> reused_{0};
};

}  // namespace flowstore::http
