// What every Prometheus client says about its own process.

#pragma once

#include "metrics/registry.h"

namespace flowstore::metrics {

// Adds the process_* families under the names that the old server's dashboards know, read from
// /proc/self when the text is asked for, and flowstore_build_info. The old server's nodejs_*
// families have no counterpart here.
void add_process_metrics(Registry& registry);

}  // namespace flowstore::metrics
