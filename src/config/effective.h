// The configuration in force, for people to look at.

#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace flowstore::config {

struct EffectiveOption {
  std::string name;
  std::string value;   // never a secret
  std::string origin;  // such as "/x/etc/flowforge-storage.yml:3"; "default"
};

// Every option that has a value, in the order of the documentation.
std::vector<EffectiveOption> effective_options(const LoadResult& loaded);

}  // namespace flowstore::config
