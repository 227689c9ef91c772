// Numbers for people.

#pragma once

#include <cstdint>
#include <string>

namespace flowstore::tools {

// "1,234,567".
std::string grouped(std::uint64_t number);

// "17 B", "1.5 KiB", "340 MiB": three digits at most.
std::string human_bytes(std::uint64_t bytes);

// "1 file", "1,234 files".
std::string counted(std::uint64_t number, const std::string& singular);

}  // namespace flowstore::tools
