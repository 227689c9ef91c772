// The commands of the operator: from words to what src/tools does, and back to words. Each returns
// the exit code.

#pragma once

#include <optional>

#include "cli/arguments.h"
#include "cli/program.h"
#include "config/load.h"

namespace flowstore::cli {

// The configuration that the command line and the environment name.
config::LoadResult load(const Arguments& arguments, const Surroundings& around);

// The configuration; nothing, and every problem on standard error, if it cannot be used.
std::optional<config::Config> usable(config::LoadResult loaded, const Surroundings& around);

int healthcheck(const Arguments& arguments, const Surroundings& around);
int usage(const Arguments& arguments, const Surroundings& around);
int export_archive(const Arguments& arguments, const Surroundings& around);
int gc(const Arguments& arguments, const Surroundings& around);
int migrate(const Arguments& arguments, const Surroundings& around);
int import_archive(const Arguments& arguments, const Surroundings& around);

}  // namespace flowstore::cli
