// CheckReport: what `flowstore check` found, for people and for machines.

#pragma once

#include <string>
#include <vector>

#include "config/load.h"
#include "server/serve.h"

namespace flowstore::cli {

struct CheckReport {
  config::LoadResult loaded;
  // Empty if the configuration could not be used.
  std::vector<server::CheckResult> results;

  bool is_ok() const;
};

// The configuration in force with its origins, then one line per finding: ok, warn or FAIL.
std::string as_text(const CheckReport& report);

// One JSON object on one line: ok, version, file, options, problems, checks.
std::string as_json(const CheckReport& report);

}  // namespace flowstore::cli
