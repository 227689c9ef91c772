// The commands, with everything they touch handed in, so that tests can run them.

#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "config/load.h"
#include "server/serve.h"

namespace flowstore::cli {

// What the program needs from outside.
struct Surroundings {
  config::Environment environment;
  std::string working_directory;  // absolute
  std::ostream& out;
  std::ostream& err;
  std::function<int(const config::Config&)> serve;
  std::function<std::vector<server::CheckResult>(const config::Config&)> check_dependencies;
  bool err_is_terminal = false;  // long commands show there how far they are
};

// Runs the command that the words after the program's name ask for; returns the exit code.
int run_program(const std::vector<std::string>& words, const Surroundings& around);

}  // namespace flowstore::cli
