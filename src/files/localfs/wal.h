// WriteAheadLog: many small changes, one sync.

#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/outage_log.h"
#include "base/result.h"
#include "base/task.h"
#include "files/localfs/disk.h"
#include "files/localfs/logged_change.h"
#include "files/localfs/root_lock.h"
#include "files/localfs/unlogged_changes.h"
#include "files/localfs/wal_files.h"
#include "metrics/registry.h"

namespace flowstore::files::localfs {

// One thread takes what is waiting, writes it to the log as one frame, syncs that, makes the
// changes without syncing anything, and answers. So an answered change has survived a power cut:
// what the disk forgets of it, the next start finds in the log. The rules that keep a replay from
// undoing anything are in docs/storage.md. Safe to use from any thread; must outlive every call.
class WriteAheadLog {
 public:
  // Makes what a dead process may have left in the log of this root, and is then at rest: the files
  // of the log are made with the first change. Error: one sentence for the operator. Blocks. All
  // references must outlive the log.
  static Result<std::unique_ptr<WriteAheadLog>> open(const Disk& disk, FileVersions& versions,
                                                     const Clock& clock, Log& log,
                                                     metrics::Registry& registry);
  ~WriteAheadLog() { stop(); }

  // Makes and answers what is waiting, and ends the thread; from then on there is no log. Blocks.
  void stop();

  // Logs and makes a change; false if there is no log just now (its files are being made, another
  // flowstore works on the root, the disk is full), and then nothing has been done: the caller
  // makes the change and syncs it.
  Task<bool> make(LoggedChange& change);

  // To be called when a change without log is on the disk for certain, and before it is answered:
  // what the log has of the path is older. 0 or errno.
  Task<int> forget(const std::string& path);

  // Returns when everything that was answered is on the disk without the log. 0 or errno. For what
  // removes a folder with everything in it.
  Task<int> settle(const std::string& folder);

  // Where a change without log is announced before it is made; forget() and settle() follow on it.
  UnloggedChanges& unlogged() noexcept { return unlogged_; }

  // Whether the log could be written when it was last tried.
  const OutageLog& outage() const noexcept { return outage_; }

 private:
  enum class State : std::uint8_t {
    unmade,   // the log has no files yet
    resting,  // it is empty, and the root is shared with others
    active,
    broken,  // a sync failed: nothing is answered until the log has been made again
  };
  using Batch = std::vector<LoggedChange*>;

  WriteAheadLog(const Disk& disk, FileVersions& versions, const Clock& clock, Log& log,
                metrics::Registry& registry);

  Status recover(Log& log);
  Task<> submit(LoggedChange& change);
  bool enqueue(LoggedChange& change);

  void run();
  bool take(Batch& batch);
  bool has_to_make_files() const;  // under mutex_
  bool is_asked_for_files();
  void perform(Batch& batch);
  bool wake_up();
  void commit(Batch& batch);
  int write_frame(const Batch& batch);
  int add_frame();
  void cancel_failed(const Batch& batch);
  void settle(Batch& asking);
  void synced(int error);
  void tend();
  void make_files();
  void rest(Clock::Instant next);
  void heal();
  void fail(int error);
  void set_state(State state);

  Disk disk_;
  FileVersions& versions_;
  const Clock& clock_;
  OutageLog outage_;
  UnloggedChanges unlogged_;
  metrics::Histogram& batch_sizes_;
  metrics::Histogram& commit_times_;
  FileDescriptor folder_;

  // Of the log's thread.
  WalFiles files_;
  RootLock root_lock_;
  WalFrame frame_;
  std::uint64_t next_sequence_ = 1;
  ModifiedTime last_modified_;
  Clock::Instant last_change_{};
  Clock::Instant next_look_{};  // for guests
  Clock::Instant next_try_{};   // to make the files, to be alone, or to heal
  int error_ = 0;               // why it is broken

  std::mutex mutex_;
  std::condition_variable wake_;
  Batch queue_;                  // guarded by mutex_
  Batch settling_;               // guarded by mutex_; those who wait for the sync that is under way
  State state_ = State::unmade;  // guarded by mutex_; only the log's thread changes it
  bool is_wanted_ = false;       // guarded by mutex_; a change came while there were no files
  bool is_stopping_ = false;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace flowstore::files::localfs
