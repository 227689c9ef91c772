// Breaker: spares a store that is down, and those who would wait for it.

#pragma once

#include <chrono>
#include <mutex>

#include "base/clock.h"

namespace flowstore::files::s3 {

// After a number of failures in a row nobody is let through but one at a time, now and then, to see
// whether the store is back; one success lets everybody through again. Safe to use from any thread.
class Breaker {
 public:
  // The clock must outlive it.
  explicit Breaker(const Clock& clock) : clock_(clock) {}

  // False: do not ask. Whoever is let through says how it went.
  bool lets_through();
  void succeeded();
  void failed();

 private:
  // Enough that a few slow answers among good ones mean nothing.
  static constexpr int kFailures = 10;
  // Short enough that the recovery is seen within a client's patience.
  static constexpr std::chrono::milliseconds kShortest{100};
  static constexpr std::chrono::milliseconds kLongest{1000};

  const Clock& clock_;
  std::mutex mutex_;
  // All below is guarded by mutex_.
  int failures_ = 0;  // in a row
  std::chrono::milliseconds pause_ = kShortest;
  Clock::Instant next_trial_{};
};

}  // namespace flowstore::files::s3
