// The options of whom the process becomes: their part of the one table, see options.h.

#pragma once

#include <vector>

#include "config/options.h"

namespace flowstore::config {

std::vector<Option> account_options();

}  // namespace flowstore::config
