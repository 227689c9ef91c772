// GrowingFiles: what readers see of files that are being appended to.

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include <sys/stat.h>

namespace flowstore::files::localfs {

// An append writes behind the old end, piece by piece. Until all is there the file is still what it
// was: its old bytes do not change, and this tells its old size and time. Nobody waits for an
// append. Safe to use from any thread.
class GrowingFiles {
 public:
  // fstat(), but what the file was before the append that is under way. 0 or errno.
  int stat(int file, struct stat& status) const;

  // One append, for as long as it lives: from before its first byte until the file has its new size
  // and time for good, or its old ones again. One at a time per file. `old` is what fstat() said.
  class Growth {
   public:
    Growth(GrowingFiles& files, const struct stat& old);
    Growth(const Growth&) = delete;
    Growth& operator=(const Growth&) = delete;
    ~Growth();

   private:
    GrowingFiles& files_;
    const std::pair<dev_t, ino_t> file_;
  };

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<dev_t, ino_t>, struct stat> before_;  // guarded by mutex_
  // So that readers need no mutex while nothing grows.
  std::atomic<std::uint64_t> begun_ = 0;
  std::atomic<std::uint64_t> ended_ = 0;
};

}  // namespace flowstore::files::localfs
