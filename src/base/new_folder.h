// Folders that outlive a power cut.

#pragma once

#include <cstdint>
#include <filesystem>
#include <system_error>

namespace flowstore {

enum class Names : std::uint8_t { synced, not_synced };

// Makes a folder and those above it, where they are missing. With Names::synced a power cut cannot
// take them away again, and with them what will be in them. `folder` is absolute. Blocks.
std::error_code make_new_folders(const std::filesystem::path& folder, Names names);

}  // namespace flowstore
