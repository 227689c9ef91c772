#include "auth/outage_log.h"

namespace flowstore::auth {

void OutageLog::failed(std::string_view reason) {
  const auto now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    // Also holds back a platform that answers every other question: it is out once a minute.
    if (now < next_line_) return;
    is_out_ = true;
    next_line_ = now + std::chrono::minutes(1);
  }
  LogFields fields;
  fields.text("reason", reason);
  log_.warn(
      "The FlowFuse platform does not answer; tokens that it accepted before go on working for a "
      "while. Check base_url and the network.",
      fields);
}

void OutageLog::answered() {
  {
    const std::lock_guard lock(mutex_);
    if (!is_out_) return;
    is_out_ = false;
  }
  log_.info("The FlowFuse platform answers again.");
}

}  // namespace flowstore::auth
