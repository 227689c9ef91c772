// UnloggedChanges: what is newer on the disk than in the write-ahead log.

#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "files/localfs/beneath.h"

namespace flowstore::files::localfs {

// After a failed sync the log is made again beside the requests, and must not be made again over
// what was changed without it meanwhile. So every such change is announced here, and is remembered
// until the log has been told or is empty. Safe to use from any thread.
class UnloggedChanges {
 public:
  // A change, while it is being made. Waits for the end of a Pause; blocks.
  class Change {
   public:
    // None is announced where there is no log. A path that ends with a slash is everything below a
    // folder. Both must outlive this.
    Change(UnloggedChanges* all, const std::string& path);
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change();

    // It can be seen. Otherwise it counts for nothing.
    void was_made();

   private:
    UnloggedChanges* all_;
    const std::string& path_;
  };

  // No change is being made as long as it lives. Waits for those under way; blocks.
  class Pause {
   public:
    explicit Pause(UnloggedChanges& all);
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause();

   private:
    UnloggedChanges& all_;
  };

  // Whether what the log has of this path is older than the disk. Below a folder that was removed
  // that goes for what is not there: the rest was written after that. During a Pause; blocks.
  bool has(const Beneath& root, std::string_view path) const;

  // The log has been told of the path, or has nothing of it.
  void forget(const std::string& path);
  // The log is empty.
  void forget_all();

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string, std::less<>> paths_;  // guarded by mutex_
  int under_way_ = 0;                         // guarded by mutex_
  bool is_paused_ = false;                    // guarded by mutex_
};

}  // namespace flowstore::files::localfs
