// What a dead process left in its write-ahead log.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "files/localfs/disk.h"
#include "files/localfs/wal_frame.h"

namespace flowstore::files::localfs {

struct RecoveredLog {
  std::size_t changes = 0;     // made again
  std::size_t skipped = 0;     // left alone, because something else has changed the file since
  std::size_t taken_back = 0;  // appends that nobody was answered for and that had no room
};

// Makes the changes of a log again that the machine may have forgotten, in their order, and those
// only: not what was cancelled, nor what something newer on the disk replaced. A change that was
// made before can be made again. `records` come in the order of their sequence. 0 or errno: then
// some were not made. Syncs nothing. Blocks.
int replay(Disk& disk, const std::vector<WalRecord>& records, RecoveredLog& recovered);

// After the death of the process alone nothing is forgotten. But of an append that was not answered
// a part may have been written: completes those of the last frame, or takes the part away where it
// cannot. 0, or errno if a part stays. Blocks.
int complete_appends(const Disk& disk, const std::vector<WalRecord>& last_frame,
                     RecoveredLog& recovered);

}  // namespace flowstore::files::localfs
