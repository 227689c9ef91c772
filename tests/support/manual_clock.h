// A clock that stands still until a test moves it.

#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace flowstore {

class ManualClock final : public Clock {
 public:
  Instant now() const override { return Instant(Duration(elapsed_.load())); }
  std::chrono::system_clock::time_point wall() const override {
    return std::chrono::sys_days(std::chrono::year(2026) / 1 / 1) +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(
               Duration(elapsed_.load()));
  }
  void advance(Duration by) { elapsed_.fetch_add(by.count()); }

 private:
  // Not zero: an Instant of zero often means "never".
  std::atomic<Duration::rep> elapsed_{
      std::chrono::duration_cast<Duration>(std::chrono::hours(1)).count()};
};

}  // namespace flowstore
