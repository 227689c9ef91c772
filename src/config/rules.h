// What the options must be together.

#pragma once

#include "config/config.h"
#include "config/problem.h"
#include "config/reader.h"

namespace flowstore::config {

// Reports what is missing, contradicts itself or has no effect. `lines` says what the file gives.
void check_rules(const Config& config, const KeyLines& lines, Problems& problems);

}  // namespace flowstore::config
