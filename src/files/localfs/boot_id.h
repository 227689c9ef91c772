// Which run of the machine this is.

#pragma once

#include <string>

namespace flowstore::files::localfs {

// 36 characters, the same until the machine starts again: only then can the kernel have forgotten
// what was written. Empty where it is not known, which no other run equals. Blocks.
std::string boot_id();

}  // namespace flowstore::files::localfs
