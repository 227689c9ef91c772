// What `flowstore check` says of places that work today and will not be there tomorrow, of clocks,
// and of certificate authorities.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "http/trust.h"
#include "server/serve.h"

namespace flowstore::server {

// Why data in a file system of this kind (statfs f_type) would be lost, and what to do; empty where
// it stays.
std::string loss_of(long file_system);

// A warning for each folder of the configuration whose data will be lost: in the layer of a
// container, or in memory. Blocks.
std::vector<CheckResult> check_places(const config::Config& config);

// A warning if the other side's clock says another time; nothing if it is near enough, or unknown.
std::optional<CheckResult> check_clock(std::optional<std::chrono::system_clock::time_point> theirs,
                                       std::chrono::system_clock::time_point ours);

// A warning if those of the operator cannot be used, by the user that the process is now.
std::optional<CheckResult> check_authorities(const http::Trust& trust);

}  // namespace flowstore::server
