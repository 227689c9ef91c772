// Loading: from the environment, the command line and the file to a Config.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problem.h"

namespace flowstore::config {

// A variable of the environment; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// The environment of the process.
Environment process_environment();

// Everything outside the file that decides about the configuration.
struct Sources {
  std::optional<std::string> config_file;  // --config; relative to working_directory
  std::optional<std::string> home;         // --home; relative to working_directory
  Environment environment;
  std::string working_directory;  // absolute
  // Where the old server is installed; HOME if nothing else names one and it exists.
  std::string default_home = "/opt/flowforge-file-storage";
};

struct LoadResult {
  // Complete only if nothing is fatal. Its warnings are the problems that are not.
  Config config;
  std::vector<Problem> problems;
  // Where a value comes from ("/x/etc/flowforge-storage.yml:3", "environment PORT"), by the name of
  // the option; what is not here has its default.
  std::map<std::string, std::string, std::less<>> origins;

  bool is_usable() const;
};

// Reads `etc/flowforge-storage.local.yml`, else `etc/flowforge-storage.yml`, below HOME, in the way
// of the old server: FLOWFORGE_HOME, PORT, NODE_ENV and FF_FS_TEST_CONFIG mean what they meant
// there. The command line wins over the environment, and that over the file. Reports every problem
// it can find. Reads files and so blocks; changes nothing.
LoadResult load(const Sources& sources);

}  // namespace flowstore::config
