// WalFiles: the two segments of a write-ahead log, used in turn.

#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/file_descriptor.h"
#include "files/localfs/disk.h"
#include "files/localfs/wal_recovery.h"
#include "files/localfs/wal_segment.h"
#include "metrics/registry.h"

namespace flowstore::files::localfs {

// While one segment takes frames, the file system is synced for the sake of the other (syncfs),
// which is then empty and takes the next ones. Two threads: that of the log calls everything, and
// one of its own syncs. Everything blocks.
class WalFiles {
 public:
  // `disk` is the logged() one, whose changes are settled with each sync; must outlive this.
  // `synced` is called on the other thread after each sync that turn_over() asked for, with 0 or
  // its errno.
  WalFiles(Disk& disk, metrics::Registry& registry, std::function<void(int)> synced);
  ~WalFiles();

  // Opens the files in `folder`, makes the changes that a dead process may have left behind in
  // them, and empties them. Fails with one sentence for the operator. Before everything else, and
  // while no other process does the same.
  Result<RecoveredLog> recover(int folder);

  // Makes the segments ready for frames, short ones at first: each is made four times as long when
  // it was full, as far as the disk has room. 0 or errno (ENOSPC early, on a disk that is nearly
  // full), and then they take no space.
  int fill();

  // The longest frame that fits.
  std::size_t most_bytes() const noexcept { return most_bytes_; }
  // Whether nothing has been added since the segment was begun.
  bool is_current_empty() const noexcept { return current().is_empty(); }

  // Makes room for a frame of this size; waits for the other segment to be empty if it has to be
  // that one. 0 or errno.
  int make_room(std::size_t bytes);
  WalPlace next() const noexcept { return current().next(); }
  // Writes the frame there; 0 or errno.
  int add(std::string_view frame) { return current().add(frame); }

  // Returns when the other segment is empty. 0, or the errno of the sync that should have done it.
  int wait_for_other();
  // Goes on in the other segment, and has this one emptied. 0 or errno.
  int turn_over() { return turn_over_because(Reason::asked); }
  // Returns when both segments are empty. 0 or errno.
  int settle();
  // The errno of the last sync that turn_over() asked for.
  int failure();
  // Has the next start make everything in the log again, whatever it thinks of the kernel's memory.
  // 0 or errno.
  int distrust();
  // After a failure, of which nobody knows what the kernel has dropped: makes everything in the log
  // again, but for paths that are newer on the disk, and returns when both segments are empty. 0 or
  // errno.
  int heal(const std::function<bool(std::string_view path)>& is_newer);

 private:
  WalSegment& current() noexcept { return segments_[current_]; }
  const WalSegment& current() const noexcept { return segments_[current_]; }
  WalSegment& other() noexcept { return segments_[1 - current_]; }
  enum class Reason : std::uint8_t { full, asked };
  int turn_over_because(Reason reason);
  int sync_and_start(WalSegment& segment, std::uint64_t changes);
  void lengthen(WalSegment& segment);
  void run();

  Disk& disk_;
  std::function<void(int)> synced_;
  metrics::Counter& checkpoints_;
  std::string boot_;
  std::array<WalSegment, 2> segments_;
  std::size_t current_ = 0;
  std::size_t most_bytes_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  enum class Work : std::uint8_t { none, asked, ending };
  Work work_ = Work::none;         // guarded by mutex_
  std::uint64_t changes_ = 0;      // guarded by mutex_; made when the work was asked for
  Reason reason_ = Reason::asked;  // guarded by mutex_; of the work
  int error_ = 0;                  // guarded by mutex_; of the last work
  std::uint64_t next_epoch_ = 1;
  std::thread thread_;
};

}  // namespace flowstore::files::localfs
