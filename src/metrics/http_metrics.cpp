#include "metrics/http_metrics.h"

#include "metrics/text.h"

namespace flowstore::metrics {
namespace {

constexpr std::string_view kDuration = "http_request_duration_seconds";
constexpr std::string_view kSummary = "http_request_summary_seconds";
constexpr std::string_view kOpenTelemetry = "http_server_request_duration_seconds";
constexpr std::array<double, 7> kQuantiles = {0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999};

std::string text_of(const HttpLabels& labels) {
  std::string text;
  append_label(text, "method", labels.method);
  append_label(text, "route", labels.route);
  append_label(text, "status_code", std::to_string(labels.status));
  return text;
}

// What was counted by the finer bounds, by those of the old server.
std::array<std::uint64_t, kDurationBounds.size() + 1> coarse(const HttpTotals& totals) {
  std::array<std::uint64_t, kDurationBounds.size() + 1> counts{};
  std::size_t at = 0;
  for (std::size_t fine = 0; fine < totals.durations.size(); ++fine) {
    const bool is_beyond = fine == kFineBounds.size();
    if (at < kDurationBounds.size() && (is_beyond || kFineBounds[fine] > kDurationBounds[at])) ++at;
    counts[at] += totals.durations[fine];
  }
  return counts;
}

double seconds_of(const HttpTotals& totals) {
  return static_cast<double>(totals.nanoseconds) / 1e9;
}

void append_summary(std::string& out, const std::string& labels, const HttpTotals& totals) {
  for (const double quantile : kQuantiles) {
    std::string with_quantile = labels;
    append_label(with_quantile, "quantile", number_text(quantile));
    append_sample(out, kSummary, with_quantile, quantiles::at(totals.quantiles, quantile));
  }
  std::uint64_t count = 0;
  for (const std::uint64_t bucket : totals.quantiles) count += bucket;
  append_sample(out, std::string(kSummary) + "_sum", labels, seconds_of(totals));
  append_sample(out, std::string(kSummary) + "_count", labels, static_cast<double>(count));
}

}  // namespace

void HttpMetrics::observe(std::string_view method, std::string_view route, int status,
                          std::chrono::nanoseconds duration) {
  if (route.empty() || method == "HEAD" || method == "OPTIONS") return;
  HttpSeries* const series = tables_[current_shard()].get(method, route, status);
  if (series != nullptr) series->observe(duration);
}

std::map<HttpLabels, HttpTotals> HttpMetrics::totals() const {
  std::map<HttpLabels, HttpTotals> all;
  for (const HttpSeriesTable& table : tables_) {
    table.for_each([&all](const HttpSeries& series) { series.add_to(all[series.labels()]); });
  }
  return all;
}

void HttpMetrics::collect(std::string& out) const {
  const auto all = totals();
  append_header(out, kDuration, "request duration in seconds", "histogram");
  for (const auto& [labels, totals] : all) {
    append_histogram(out, kDuration, text_of(labels), kDurationBounds, coarse(totals),
                     seconds_of(totals));
  }
  append_header(out, kSummary, "request duration in seconds summary", "summary");
  for (const auto& [labels, totals] : all) append_summary(out, text_of(labels), totals);
}

void HttpMetrics::collect_opentelemetry(std::string& out, std::string_view scheme) const {
  append_header(out, kOpenTelemetry, "Duration of HTTP server requests.", "histogram");
  for (const auto& [labels, totals] : totals()) {
    std::string text;
    append_label(text, "http_request_method", labels.method);
    append_label(text, "http_response_status_code", std::to_string(labels.status));
    append_label(text, "http_route", labels.route);
    append_label(text, "url_scheme", scheme);
    append_histogram(out, kOpenTelemetry, text, kFineBounds, totals.durations, seconds_of(totals));
  }
}

}  // namespace flowstore::metrics
