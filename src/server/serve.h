// Running the program, and trying whether it could run.

#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace flowstore::server {

// Serves until SIGINT, SIGTERM, SIGHUP or SIGUSR2, then drains. Returns the exit code: 0 stopped as
// asked, 1 could not start (one sentence on standard error says why).
int serve(const config::Config& config);

// One dependency that `flowstore check` tried.
struct CheckResult {
  std::string name;  // "driver localfs", "platform", "port"
  bool is_ok = false;
  bool is_warning = false;  // it is no failure, but somebody should look at it
  std::string detail;       // what was found, and if not ok what to do
};

// Tries everything the configuration needs (the stores, the platform, the port), changing nothing
// that lasts but the empty folder, file or table of a store that was never used.
std::vector<CheckResult> check_dependencies(const config::Config& config);

}  // namespace flowstore::server
