// The command line: flowstore [serve | check] [options].

#pragma once

namespace flowstore::cli {

// Runs the program; returns its exit code: 0 stopped as asked, 1 could not start or a check failed,
// 2 the command line was wrong.
int run(int argc, char** argv);

}  // namespace flowstore::cli
