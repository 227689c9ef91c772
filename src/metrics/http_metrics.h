// HttpMetrics: the two families of the old server, per method, route and status.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace flowstore::metrics {

// http_request_duration_seconds (histogram) and http_request_summary_seconds (quantiles since the
// start). Safe to use from any thread: observing takes no lock once a label set has been seen.
class HttpMetrics {
 public:
  HttpMetrics();
  ~HttpMetrics();

  // `method` and `route` are copied the first time a set is seen. An empty route, HEAD and OPTIONS
  // are not counted, as by the old server.
  void observe(std::string_view method, std::string_view route, int status,
               std::chrono::steady_clock::duration duration);

  // Appends both families as Prometheus text.
  void collect(std::string& out) const;

 private:
  class Series;

  Series* find(std::size_t slot, std::string_view method, std::string_view route, int status) const;
  Series* add(std::size_t slot, std::string_view method, std::string_view route, int status);

  // Open addressing by hash; a slot is written once. Routes and statuses are few, so a full table
  // only means that a new set is not counted.
  static constexpr std::size_t kSlots = 512;
  std::array<std::atomic<Series*>, kSlots> slots_{};
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Series>> series_;  // guarded by mutex_; owns what slots_ points to
};

}  // namespace flowstore::metrics
