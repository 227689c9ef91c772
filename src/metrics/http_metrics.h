// HttpMetrics: how long requests take, per method, route and status.

#pragma once

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "metrics/http_series.h"
#include "metrics/shards.h"

namespace flowstore::metrics {

// The two families of the old server, under its names and labels: http_request_duration_seconds (a
// histogram) and http_request_summary_seconds (quantiles since the start, off by at most 1.6 %).
// Safe to use from any thread.
class HttpMetrics {
 public:
  // An empty route (no known one), HEAD and OPTIONS are not counted, as by the old server. Takes no
  // lock and allocates nothing once a core has seen these labels, whose text is copied.
  void observe(std::string_view method, std::string_view route, int status,
               std::chrono::nanoseconds duration);

  // Appends both families as Prometheus text, in the order of their labels.
  void collect(std::string& out) const;

  // The same requests as http_server_request_duration_seconds, with the labels and bounds of
  // OpenTelemetry's semantic conventions. `scheme`: "http" or "https".
  void collect_opentelemetry(std::string& out, std::string_view scheme) const;

 private:
  std::map<HttpLabels, HttpTotals> totals() const;

  std::array<HttpSeriesTable, kShards> tables_;
};

}  // namespace flowstore::metrics
