// OutageLog: tells the operator that a service is gone, and that it is back.

#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace flowstore {

// One line at the beginning of an outage, one each minute while it lasts, one at its end; however
// many questions fail meanwhile. Safe to use from any thread.
class OutageLog {
 public:
  // The two lines: what is out and what to do, and that it is over. Clock and log must outlive
  // this.
  OutageLog(const Clock& clock, Log& log, std::string out, std::string back)
      : clock_(clock), log_(log), out_(std::move(out)), back_(std::move(back)) {}

  // A question had no answer. `reason` holds no token or password.
  void failed(std::string_view reason);
  // A question was answered.
  void answered();

  // How the latest question went, and when; nothing before the first one.
  struct Heard {
    Clock::Instant at{};
    bool is_answer = false;
  };
  std::optional<Heard> latest() const;

  // Why it had no answer, for an operator; empty if it had one.
  std::string reason() const;

 private:
  const Clock& clock_;
  Log& log_;
  std::string out_;
  std::string back_;
  mutable std::mutex mutex_;
  std::optional<Heard> latest_;  // guarded by mutex_
  std::string reason_;           // guarded by mutex_
  bool is_out_ = false;          // guarded by mutex_
  Clock::Instant next_line_{};   // guarded by mutex_; when a failure is worth a line again
};

}  // namespace flowstore
