// Walking the folders of a project. Everything here blocks.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "files/file_store.h"
#include "files/localfs/beneath.h"

namespace flowstore::files::localfs {

// One thing in a folder, without following links.
struct Found {
  std::string name;
  bool is_folder = false;
  bool is_file = false;  // a regular file; neither for links, devices and the like
};

// What lies in the folder, in no order; 0 or errno.
int read_folder(int folder, std::vector<Found>& found);

// Calls `visit` for every regular file below `path`, with its path relative to it. Folders that
// vanish meanwhile are passed over. Holds one open folder at a time, however deep the tree is. 0,
// or the errno of opening `path` itself.
using Visit = std::function<void(const std::string& relative, const struct stat& status)>;
int walk(const Beneath& root, const std::string& path, const Visit& visit);

// One page of the folder's names, sorted by bytes; 0 or errno.
int list_folder(const Beneath& root, const std::string& path, const ListOptions& options,
                Listing& listing);

// Removes everything below `path` and, unless it is to stay, the folder itself. What is being
// written meanwhile may stay. 0 or errno.
int remove_tree(const Beneath& root, const std::string& path, bool keeps_folder,
                RemovedTree& removed);

}  // namespace flowstore::files::localfs
