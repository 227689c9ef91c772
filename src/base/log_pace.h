// LogPace: a few lines a second where every request would have one.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace flowstore {

// What is broken fails every request, and one line tells as much as a thousand. Safe to use from
// any thread.
class LogPace {
 public:
  // The clock must outlive it.
  explicit LogPace(const Clock& clock) : clock_(clock) {}

  // Whether a line may be written now; there is at most one in 200 ms.
  bool lets_through() {
    const auto now = clock_.now().time_since_epoch();
    const auto ticks = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    std::int64_t last = last_.load();
    return ticks - last >= kPause.count() && last_.compare_exchange_strong(last, ticks);
  }

 private:
  static constexpr std::chrono::milliseconds kPause{200};

  const Clock& clock_;
  std::atomic<std::int64_t> last_{0};
};

}  // namespace flowstore
