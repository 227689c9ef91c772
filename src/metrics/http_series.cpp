#include "metrics/http_series.h"

#include <algorithm>

namespace flowstore::metrics {

void HttpSeries::observe(std::chrono::nanoseconds duration) noexcept {
  const double seconds = std::chrono::duration<double>(duration).count();
  // A duration on a bound belongs to its bucket: "le" is less or equal. Most are in the first one.
  const auto bound = std::find_if(kFineBounds.begin(), kFineBounds.end(),
                                  [seconds](double upper) { return seconds <= upper; });
  const auto bucket = static_cast<std::size_t>(bound - kFineBounds.begin());
  durations_[bucket].fetch_add(1, std::memory_order_relaxed);
  quantiles_[quantiles::bucket_of(duration)].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(static_cast<std::uint64_t>(duration.count()), std::memory_order_relaxed);
}

void HttpSeries::add_to(HttpTotals& totals) const noexcept {
  const auto add = [](const auto& from, auto& to) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i].load(std::memory_order_relaxed);
  };
  add(durations_, totals.durations);
  add(quantiles_, totals.quantiles);
  totals.nanoseconds += nanoseconds_.load(std::memory_order_relaxed);
}

HttpSeries* HttpSeriesTable::get(std::string_view method, std::string_view route, int status) {
  if (HttpSeries* const known =
          slots_[find(method, route, status)].load(std::memory_order_acquire)) {
    return known;
  }
  const std::lock_guard lock(mutex_);
  // Another thread may have added it meanwhile.
  auto& slot = slots_[find(method, route, status)];
  HttpSeries* const added = slot.load(std::memory_order_acquire);
  if (added != nullptr || series_.size() == kMostSeries) return added;
  HttpLabels labels{std::string(method), std::string(route), status};
  series_.push_back(std::make_unique<HttpSeries>(std::move(labels)));
  slot.store(series_.back().get(), std::memory_order_release);
  return series_.back().get();
}

// The slot of these labels, or the free one where they belong. There is always a free one.
std::size_t HttpSeriesTable::find(std::string_view method, std::string_view route,
                                  int status) const {
  // Cheap, and good enough to tell two dozen routes with a few methods and statuses apart.
  const auto first = static_cast<unsigned char>(method.empty() ? '\0' : method.front());
  std::size_t slot = route.size() * 31 + first * 7 + static_cast<std::size_t>(status) * 131;
  for (;; ++slot) {
    const HttpSeries* const series = slots_[slot % kSlots].load(std::memory_order_acquire);
    if (series == nullptr || series->is(method, route, status)) return slot % kSlots;
  }
}

}  // namespace flowstore::metrics
