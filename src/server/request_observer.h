// RequestObserver: the log line and the metrics of every request, in one place.

#pragma once

#include <array>
#include <cstdint>

#include "base/log.h"
#include "http/observer.h"
#include "metrics/http_metrics.h"
#include "metrics/registry.h"

namespace flowstore::server {

// Writes the old server's two lines per request, "incoming request" and "request completed", with
// its fields. Requests to /v1 follow `http_level` (logging.http), all others the log's own level; the
// lines themselves are at level info. Builds no text while a line is off.
class RequestObserver final : public http::Observer {
 public:
  // Both must outlive the observer.
  RequestObserver(Log& log, LogLevel http_level, metrics::Registry& registry);

  void started(const http::Exchange& exchange) noexcept override;
  void finished(const http::Exchange& exchange) noexcept override;
  void connections_changed(int difference) noexcept override;
  void rejected(int status) noexcept override;
  void handler_threw(const http::Exchange& exchange, std::string_view what) noexcept override;

 private:
  bool is_logged(const http::Exchange& exchange) const noexcept;

  Log& log_;
  LogLevel http_level_;
  metrics::HttpMetrics http_;
  metrics::Registry& registry_;
  metrics::Gauge& connections_;
  metrics::Gauge& running_;
  metrics::Counter& received_bytes_;
  metrics::Counter& sent_bytes_;
  metrics::Counter& aborted_;
  metrics::Counter& exceptions_;
};

}  // namespace flowstore::server
