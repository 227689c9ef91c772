// Reading files of operators: certificates, tokens, keys.

#pragma once

#include <optional>
#include <string>

namespace flowstore {

// All of it. Nothing if it cannot be read: not there, not ours to read, a folder, above 4 MiB.
// Blocks.
std::optional<std::string> read_small_file(const std::string& path);

}  // namespace flowstore
