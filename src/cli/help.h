// What --help prints.

#pragma once

#include "cli/arguments.h"

namespace flowstore::cli {

// About the program, for Command::serve; else about the command. Fits a screen, with examples.
const char* help_about(Command command);

}  // namespace flowstore::cli
