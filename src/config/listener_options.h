// The options of the listeners: tls and admin.

#pragma once

#include <vector>

#include "config/options.h"

namespace flowstore::config {

std::vector<Option> listener_options();

}  // namespace flowstore::config
