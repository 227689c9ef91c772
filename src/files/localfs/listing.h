// Pages of folders. Blocks.

#pragma once

#include <string>

#include "files/file_store.h"
#include "files/localfs/beneath.h"

namespace flowstore::files::localfs {

// One page of the names in a folder, or of all files below it, sorted by bytes; 0 or errno. A
// cursor is the last name of the page in printable ASCII, so that it survives any transport even if
// the name is no text: '%', control characters and bytes from 0x80 on are written as %XX.
int list_folder(const Beneath& root, const std::string& path, const ListOptions& options,
                Listing& listing);

}  // namespace flowstore::files::localfs
