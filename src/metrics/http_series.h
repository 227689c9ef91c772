// HttpSeries: the durations of one kind of request, as counted by one shard.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/quantiles.h"

namespace flowstore::metrics {

// Upper bounds in seconds, as OpenTelemetry has them for HTTP.
inline constexpr std::array<double, 14> kFineBounds = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                                       0.5,   0.75, 1,     2.5,  5,     7.5, 10};
// prom-client's defaults, which the old server uses: some of them.
inline constexpr std::array<double, 11> kDurationBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                           0.5,   1,    2.5,   5,    10};

// The labels of a series.
struct HttpLabels {
  std::string method;
  std::string route;
  int status = 0;

  auto operator<=>(const HttpLabels&) const = default;  // NOLINT(modernize-use-nullptr)
};

// What was counted, in numbers that can be added up.
struct HttpTotals {
  std::array<std::uint64_t, kFineBounds.size() + 1> durations{};  // not cumulated; last: +Inf
  std::array<std::uint64_t, quantiles::kBuckets> quantiles{};
  std::uint64_t nanoseconds = 0;
};

// Safe to use from any thread.
class HttpSeries {
 public:
  explicit HttpSeries(HttpLabels labels) : labels_(std::move(labels)) {}

  const HttpLabels& labels() const noexcept { return labels_; }
  bool is(std::string_view method, std::string_view route, int status) const noexcept {
    return labels_.status == status && labels_.route == route && labels_.method == method;
  }

  void observe(std::chrono::nanoseconds duration) noexcept;
  void add_to(HttpTotals& totals) const noexcept;

 private:
  HttpLabels labels_;
  std::array<std::atomic<std::uint64_t>, kFineBounds.size() + 1> durations_{};
  std::array<std::atomic<std::uint64_t>, quantiles::kBuckets> quantiles_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

// The series of one shard, found by their labels. Safe to use from any thread.
class HttpSeriesTable {
 public:
  // Takes no lock and allocates nothing for labels it knows. Null when it is full.
  HttpSeries* get(std::string_view method, std::string_view route, int status);

  template <class Function>
  void for_each(Function function) const {
    for (const auto& slot : slots_) {
      if (const HttpSeries* const series = slot.load(std::memory_order_acquire)) function(*series);
    }
  }

 private:
  std::size_t find(std::string_view method, std::string_view route, int status) const;

  // Open addressing; a slot is written once. There are about 20 routes with a few methods and
  // statuses each, all named by this program, so the table fills up only by a bug; half of the
  // slots stay free to keep searches short.
  static constexpr std::size_t kSlots = 512;
  static constexpr std::size_t kMostSeries = kSlots / 2;

  std::array<std::atomic<HttpSeries*>, kSlots> slots_{};
  std::mutex mutex_;
  std::vector<std::unique_ptr<HttpSeries>> series_;  // guarded by mutex_; owns what slots_ name
};

}  // namespace flowstore::metrics
