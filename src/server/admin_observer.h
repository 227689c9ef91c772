// AdminObserver: what the log says about the listener for operators.

#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/log_pace.h"
#include "http/observer.h"

namespace flowstore::server {

// A scrape every few seconds is nothing to tell of: only refusals, a few a second, and bugs are.
class AdminObserver final : public http::Observer {
 public:
  // Both must outlive the observer.
  AdminObserver(Log& log, const Clock& clock) : log_(log), pace_(clock) {}

  void started(const http::Exchange&) noexcept override {}
  void finished(const http::Exchange& exchange) noexcept override;
  void connections_changed(int) noexcept override {}
  void rejected(int) noexcept override {}
  void handler_threw(const http::Exchange& exchange, std::string_view what) noexcept override;

 private:
  Log& log_;
  LogPace pace_;
};

}  // namespace flowstore::server
