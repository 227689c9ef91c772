// Observer: who is told of every request and answer, for logs and metrics.

#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "http/handler.h"

namespace flowstore::http {

// One request and its answer, as far as it got.
struct Exchange {
  std::uint64_t id = 0;  // unique in this process, counted from 1
  std::string_view method;
  std::string_view target;
  std::string_view host;
  const Peer* peer = nullptr;
  std::string_view forwarded_for;  // X-Forwarded-For as sent
  int status = 0;
  std::string_view route;
  std::chrono::steady_clock::duration
      duration{};               // head complete to last byte handed to the kernel
  std::uint64_t bytes_in = 0;   // of the body
  std::uint64_t bytes_out = 0;  // of the content
  bool is_complete = false;     // the whole answer was sent
};

// Called by the sessions, on their event loops, once per request each. Must not block or throw.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void started(const Exchange& exchange) noexcept = 0;
  virtual void finished(const Exchange& exchange) noexcept = 0;
  // A connection was opened (+1) or closed (-1).
  virtual void connections_changed(int difference) noexcept = 0;
  // A request that never became one: the parser-level answer with this status was sent.
  virtual void rejected(int status) noexcept = 0;
  // A connection ended before TLS was agreed on.
  virtual void handshake_failed() noexcept {}
  // The handler threw: a bug. `what` is for the log.
  virtual void handler_threw(const Exchange& exchange, std::string_view what) noexcept = 0;
};

}  // namespace flowstore::http
