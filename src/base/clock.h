// Clock: what time it is, replaceable in tests.

#pragma once

#include <algorithm>
#include <chrono>

namespace flowstore {

// The time as system_clock counts it, in nanoseconds: from 1677 to 2262. What lies outside becomes
// the nearest whole second inside, so that "never" as the year 9999 stays far away.
inline std::chrono::system_clock::time_point nearest_time(std::chrono::sys_seconds time) {
  using std::chrono::seconds;
  using std::chrono::system_clock;
  return std::clamp(time, std::chrono::ceil<seconds>(system_clock::time_point::min()),
                    std::chrono::floor<seconds>(system_clock::time_point::max()));
}

// A class that needs the time takes a Clock&; tests hand in one that they move by hand. Safe to use
// from any thread.
class Clock {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  virtual ~Clock() = default;

  // Never goes back; for durations and deadlines.
  virtual Instant now() const = 0;
  // What people call the time; for logs and file dates.
  virtual std::chrono::system_clock::time_point wall() const = 0;
};

// The clock of the machine.
class SystemClock final : public Clock {
 public:
  Instant now() const override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::now();
  }
};

}  // namespace flowstore
