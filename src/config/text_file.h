// Reading small files whole.

#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace flowstore::config {

// All bytes of the file, pipe or device at `path`; one byte more than `limit` if there are more.
// Blocks. Errors: not_found, or invalid with the reason; neither message names the path.
Result<std::string> read_file(const std::string& path, std::size_t limit);

// The same for regular files only, so that it cannot wait for a pipe or terminal; more than `limit`
// bytes are an error.
Result<std::string> read_regular_file(const std::string& path, std::size_t limit);

}  // namespace flowstore::config
