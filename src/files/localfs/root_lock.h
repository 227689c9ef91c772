// RootLock: which process may keep a write-ahead log for a root.

#pragma once

#include <chrono>
#include <string>

#include "base/file_descriptor.h"

namespace flowstore::files::localfs {

// A log knows nothing of what others write, and a replay of it would undo that. So a process keeps
// one only while no other flowstore works on the root. A process that starts beside another makes
// itself known by a file in `guests` and waits until the other has emptied its log and shares the
// lock; from then on neither keeps one. A process never lets go of its share, so that nobody else
// is alone, and changes the files of the log, in all its life. The kernel lets go of the locks of
// the dead (they belong to an open file, F_OFD_SETLK). For one thread at a time; all of it blocks,
// but only for the disk unless it says so.
class RootLock {
 public:
  enum class Hold : std::uint8_t {
    alone,   // nobody else works on the root
    shared,  // others may
    none,    // this file system knows no locks
  };

  RootLock() = default;

  // Takes the lock in `folder`, alone if it can be had, and waits at most `patience` for one that
  // is alone to share. 0 or errno; ETIMEDOUT if that one does not.
  int take(int folder, std::chrono::milliseconds patience);

  // Tries to become alone; true if it is.
  bool try_alone();
  // Lets others in.
  void share();

  Hold hold() const noexcept { return hold_; }

  // Whether somebody waits for us to share.
  bool has_guests() const;

 private:
  int wait_for_share(std::chrono::milliseconds patience);

  FileDescriptor lock_;
  FileDescriptor guests_;
  Hold hold_ = Hold::none;
};

}  // namespace flowstore::files::localfs
