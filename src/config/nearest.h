// Which known name somebody meant who wrote an unknown one.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flowstore::config {

// The full name of a known option or group that `name` is a slip of, or that has the same last
// word elsewhere in the file ("driver.root" for "driver.options.root"). Empty: nothing is near.
std::string nearest_name(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace flowstore::config
