// Which file systems a write-ahead log may lie on.

#pragma once

namespace flowstore::files::localfs {

// Whether fdatasync, syncfs and locks are what they are called on the file system of this folder.
// One over a network or in a process of its own may sync late or know no locks; one in memory has
// nothing to sync.
bool can_keep_a_log(int folder);

}  // namespace flowstore::files::localfs
