#include "metrics/http_metrics.h"

#include <functional>

#include "metrics/quantiles.h"
#include "metrics/registry.h"
#include "metrics/text.h"

namespace flowstore::metrics {
namespace {

constexpr std::string_view kDuration = "http_request_duration_seconds";
constexpr std::string_view kSummary = "http_request_summary_seconds";

// prom-client's default buckets, which the old server uses.
std::vector<double> duration_bounds() {
  return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

constexpr std::array<double, 7> kQuantiles = {0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999};

}  // namespace

// One label set.
class HttpMetrics::Series {
 public:
  Series(std::string_view method, std::string_view route, int status)
      : method_(method), route_(route), status_(status), durations_(duration_bounds()) {
    append_label(labels_, "method", method);
    append_label(labels_, "route", route);
    append_label(labels_, "status_code", std::to_string(status));
  }

  bool is(std::string_view method, std::string_view route, int status) const noexcept {
    return status_ == status && method_ == method && route_ == route;
  }

  void observe(std::chrono::steady_clock::duration duration) noexcept {
    durations_.observe(std::chrono::duration<double>(duration).count());
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(duration);
    quantiles_.observe(static_cast<std::uint64_t>(microseconds.count()));
  }

  void append_durations(std::string& out) const {
    append_histogram(out, kDuration, labels_, durations_.bounds(), durations_.counts(),
                     durations_.sum());
  }

  void append_summary(std::string& out) const {
    for (const double quantile : kQuantiles) {
      std::string labels = labels_;
      append_label(labels, "quantile", number_text(quantile));
      append_sample(out, kSummary, labels, quantiles_.at(quantile));
    }
    std::uint64_t count = 0;
    for (const std::uint64_t bucket : durations_.counts()) count += bucket;
    append_sample(out, std::string(kSummary) + "_sum", labels_, durations_.sum());
    append_sample(out, std::string(kSummary) + "_count", labels_, static_cast<double>(count));
  }

 private:
  std::string method_;
  std::string route_;
  int status_;
  std::string labels_;
  Histogram durations_;
  Quantiles quantiles_;
};

HttpMetrics::HttpMetrics() = default;
HttpMetrics::~HttpMetrics() = default;

void HttpMetrics::observe(std::string_view method, std::string_view route, int status,
                          std::chrono::steady_clock::duration duration) {
  if (route.empty() || method == "HEAD" || method == "OPTIONS") return;
  const std::hash<std::string_view> hash;
  const std::size_t slot =
      (hash(route) ^ (hash(method) * 31) ^ (static_cast<std::size_t>(status) * 131)) % kSlots;
  Series* series = find(slot, method, route, status);
  if (series == nullptr) series = add(slot, method, route, status);
  if (series != nullptr) series->observe(duration);
}

HttpMetrics::Series* HttpMetrics::find(std::size_t slot, std::string_view method,
                                       std::string_view route, int status) const {
  for (std::size_t tried = 0; tried < kSlots; ++tried) {
    Series* const series = slots_[(slot + tried) % kSlots].load(std::memory_order_acquire);
    if (series == nullptr || series->is(method, route, status)) return series;
  }
  return nullptr;
}

HttpMetrics::Series* HttpMetrics::add(std::size_t slot, std::string_view method,
                                      std::string_view route, int status) {
  const std::lock_guard lock(mutex_);
  // Another thread may have added it since find().
  if (Series* const added = find(slot, method, route, status)) return added;
  for (std::size_t tried = 0; tried < kSlots; ++tried) {
    auto& free = slots_[(slot + tried) % kSlots];
    if (free.load(std::memory_order_relaxed) != nullptr) continue;
    series_.push_back(std::make_unique<Series>(method, route, status));
    free.store(series_.back().get(), std::memory_order_release);
    return series_.back().get();
  }
  return nullptr;
}

void HttpMetrics::collect(std::string& out) const {
  const std::lock_guard lock(mutex_);
  append_header(out, kDuration, "request duration in seconds", "histogram");
  for (const auto& series : series_) series->append_durations(out);
  append_header(out, kSummary, "request duration in seconds summary", "summary");
  for (const auto& series : series_) series->append_summary(out);
}

}  // namespace flowstore::metrics
