// Walking the folders of a project. Everything here blocks.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "files/file_store.h"
#include "files/localfs/disk.h"

namespace flowstore::files::localfs {

// One thing in a folder, without following links.
struct Found {
  std::string name;
  bool is_folder = false;
  bool is_file = false;  // a regular file; neither for links, devices and the like
};

// What lies in the folder, in no order; 0 or errno.
int read_folder(int folder, std::vector<Found>& found);

// What lies under a name in a folder, links not followed. False if nothing does, or not any more.
bool stat_at(int folder, const std::string& name, struct stat& status);

// Calls `visit` for every regular file below `path`, with its path relative to it. Files and
// folders that vanish meanwhile are passed over. Holds one open folder at a time, however deep the
// tree is. 0 or errno: then not everything was visited.
using Visit = std::function<void(const std::string& relative, const struct stat& status)>;
int walk(const Beneath& root, const std::string& path, const Visit& visit);

// Removes everything below `path` and, unless it is to stay, the folder itself. What is being
// written meanwhile may stay. 0 or errno: then some of it is gone, as `removed` says.
enum class Top : std::uint8_t { remove, keep };
int remove_tree(const Disk& disk, const std::string& path, Top top, RemovedTree& removed);

}  // namespace flowstore::files::localfs
