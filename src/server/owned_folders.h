// Folders that root makes for the user it becomes.

#pragma once

#include <filesystem>

#include "base/result.h"
#include "config/accounts.h"

namespace flowstore::server {

// Makes `folder` and those above it where they are missing, and gives those to the user; what is
// there stays as it is. `folder` is absolute. A user who is at work in a folder above cannot lead
// it elsewhere by a link. Fails with one sentence.
Status make_owned_folders(const std::filesystem::path& folder, const config::Account& owner);

}  // namespace flowstore::server
