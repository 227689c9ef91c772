// Lookup: what JavaScript finds under a path, inherited things included.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "json/node.h"
#include "json/property_path.h"

namespace flowstore::json {

// What a path led to.
struct Found {
  Found() = default;
  // The value's canonical text; nothing for undefined and functions.
  std::optional<std::string> text;
  // The name, where it is a function that JavaScript's objects have by themselves.
  std::string function;
  std::size_t work = 0;  // bytes that were looked at or copied
};

// Follows the parts one after the other as obj[part] does. A missing parent, where JavaScript
// throws, counts as undefined.
Found look_up(Node& root, const std::vector<PathPart>& path);

}  // namespace flowstore::json
