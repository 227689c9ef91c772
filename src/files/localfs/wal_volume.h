// The volume that a write-ahead log lies on.

#pragma once

namespace flowstore::files::localfs {

// Whether fdatasync, syncfs and locks are what they are called on the file system of this folder.
// One over a network or in a process of its own may sync late or know no locks; one in memory has
// nothing to sync.
bool can_keep_a_log(int folder);

// Syncs the names in the folder of a log, and those of the folders above it up to `root`: a log
// that a power cut takes away with its folder would be none. 0 or errno. Blocks.
int sync_log_names(int folder, int root);

}  // namespace flowstore::files::localfs
