// healthcheck: whether a flowstore answers on the port of the configuration.

#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"

namespace flowstore::tools {

// Where a client on this machine finds what the configuration listens on: loopback, unless it
// listens on one address only.
std::string health_url(const config::Config& config);

// Asks once, for a few seconds at most. A sentence that says what was answered; the error says what
// to do. Changes nothing; needs nothing but the network.
Result<std::string> healthcheck(const config::Config& config);

}  // namespace flowstore::tools
