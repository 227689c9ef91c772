#include "base/outage_log.h"

namespace flowstore {

void OutageLog::failed(std::string_view reason) {
  const auto now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    latest_ = Heard{now, false};
    reason_ = reason;
    // Also holds back a service that answers every other question: it is out once a minute.
    if (now < next_line_) return;
    is_out_ = true;
    next_line_ = now + std::chrono::minutes(1);
  }
  LogFields fields;
  fields.text("reason", reason);
  log_.warn(out_, fields);
}

void OutageLog::answered() {
  const auto now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    latest_ = Heard{now, true};
    reason_.clear();
    if (!is_out_) return;
    is_out_ = false;
  }
  log_.info(back_);
}

std::optional<OutageLog::Heard> OutageLog::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

std::string OutageLog::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

}  // namespace flowstore
