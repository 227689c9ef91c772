// OutageLog: tells the operator that the platform is gone, and that it is back.

#pragma once

#include <chrono>
#include <mutex>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace flowstore::auth {

// One line at the beginning of an outage, one each minute while it lasts, one at its end; however
// many questions fail meanwhile. Safe to use from any thread.
class OutageLog {
 public:
  // Both must outlive this.
  OutageLog(const Clock& clock, Log& log) : clock_(clock), log_(log) {}

  // A question had no answer. `reason` holds no token.
  void failed(std::string_view reason);
  // A question was answered.
  void answered();

 private:
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  bool is_out_ = false;         // guarded by mutex_
  Clock::Instant next_line_{};  // guarded by mutex_; when a failure is worth a line again
};

}  // namespace flowstore::auth
