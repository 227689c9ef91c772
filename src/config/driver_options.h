// The options of driver: their part of the one table, see options.h.

#pragma once

#include <vector>

#include "config/options.h"

namespace flowstore::config {

std::vector<Option> driver_options();

}  // namespace flowstore::config
