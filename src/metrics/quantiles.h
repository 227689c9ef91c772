// Quantiles: how long things took, in buckets fine enough to read quantiles from.

#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace flowstore::metrics {

// Counts durations from 1 us to half an hour in buckets whose width is 1/32 of their power of two:
// a quantile is off by at most 1.6 %. Safe to use from any thread; one atomic addition.
class Quantiles {
 public:
  void observe(std::uint64_t microseconds) noexcept {
    counts_[bucket_of(microseconds)].fetch_add(1, std::memory_order_relaxed);
  }

  // In seconds; 0 without observations. `quantile` is between 0 and 1.
  double at(double quantile) const {
    std::uint64_t total = 0;
    for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
    const auto rank = static_cast<std::uint64_t>(quantile * static_cast<double>(total));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket].load(std::memory_order_relaxed);
      if (seen > rank) return middle_of(bucket) * 1e-6;
    }
    return 0;
  }

 private:
  static constexpr unsigned kSteps = 32;    // per power of two
  static constexpr unsigned kStepBits = 5;  // log2 of it
  static constexpr unsigned kPowers = 27;   // 2^31 us is 35 minutes
  static constexpr std::size_t kBuckets = (kPowers + 1) * kSteps;

  // Below 32 every number has its own bucket; above, the five bits after the leading one count.
  static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < kSteps) return value;
    const auto power = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
    if (power + 1 > kPowers) return kBuckets - 1;
    return (power + 1) * kSteps + ((value >> power) - kSteps);
  }
  static double middle_of(std::size_t bucket) noexcept {
    if (bucket < kSteps) return static_cast<double>(bucket);
    const auto power = static_cast<unsigned>(bucket / kSteps) - 1;
    const double width = static_cast<double>(std::uint64_t{1} << power);
    return (static_cast<double>(kSteps + bucket % kSteps) + 0.5) * width;
  }

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
};

}  // namespace flowstore::metrics
