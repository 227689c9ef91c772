// RequestObserver: the log lines and the metrics of every request, in one place.

#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "http/observer.h"
#include "metrics/http_metrics.h"
#include "metrics/registry.h"

namespace flowstore::server {

// Writes the old server's two lines per request at level info, with its fields: "incoming request",
// and "request completed" or, where the answer did not go out whole, "request aborted". Requests
// for /v1 follow `http_level` (logging.http); all others, and those for which there is no route,
// follow the log's own level. Builds no text while a line is off.
class RequestObserver final : public http::Observer {
 public:
  // `opentelemetry_scheme`: "http" or "https", if requests shall be counted under those names, too.
  // `log` and `registry` must outlive the observer; the registry's text must not be asked for after
  // it.
  RequestObserver(Log& log, LogLevel http_level, metrics::Registry& registry,
                  std::optional<std::string_view> opentelemetry_scheme = std::nullopt);

  void started(const http::Exchange& exchange) noexcept override;
  void finished(const http::Exchange& exchange) noexcept override;
  void connections_changed(int difference) noexcept override;
  void rejected(int status) noexcept override;
  void handshake_failed() noexcept override;
  void handler_threw(const http::Exchange& exchange, std::string_view what) noexcept override;

 private:
  // What the session answers by itself. Anything else is counted as "other".
  static constexpr std::array<int, 4> kRejections = {400, 408, 431, 503};

  bool is_known_to_be_logged(const http::Exchange& exchange) const noexcept;
  void count(const http::Exchange& exchange);

  Log& log_;
  bool logs_http_;
  metrics::HttpMetrics requests_;
  metrics::Gauge& connections_;
  metrics::Gauge& inflight_;
  metrics::Counter& received_bytes_;
  metrics::Counter& sent_bytes_;
  metrics::Counter& aborted_;
  metrics::Counter& handshakes_;
  metrics::Counter& exceptions_;
  std::array<metrics::Counter*, kRejections.size() + 1> rejected_{};  // the last: other
};

}  // namespace flowstore::server
