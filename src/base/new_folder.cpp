#include "base/new_folder.h"

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace flowstore {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> missing_of(fs::path folder) {
  std::vector<fs::path> missing;
  std::error_code ignored;
  while (folder.has_relative_path() && !fs::exists(folder, ignored)) {
    missing.push_back(folder);
    folder = folder.parent_path();
  }
  return missing;
}

std::error_code sync_folder(const fs::path& folder) {
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) return {errno, std::generic_category()};
  return {};
}

}  // namespace

std::error_code make_new_folders(const fs::path& folder, Names names) {
  const std::vector<fs::path> missing = missing_of(folder);
  std::error_code error;
  fs::create_directories(folder, error);
  for (const fs::path& made : missing) {
    if (!error && names == Names::synced) error = sync_folder(made.parent_path());
  }
  return error;
}

}  // namespace flowstore
