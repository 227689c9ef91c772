// WalSegment: one of the files that the write-ahead log consists of.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "files/localfs/wal_frame.h"

namespace flowstore::files::localfs {

// A head of one block, then frames. All of it is written once before it is used, so that a frame
// changes no length and no block map, and one fdatasync of the data is all that it costs (116 us
// where a growing file takes 269). Everything here blocks; for one thread at a time.
class WalSegment {
 public:
  // What is known of it before it is used.
  struct Head {
    Head() = default;

    bool is_sound = false;  // false for a new file, and for one that something has spoilt
    std::uint64_t epoch = 0;
    std::string boot;  // of the machine's run that began the epoch
  };

  WalSegment() = default;

  // Opens the file, which may not be there; 0 or errno.
  int open(int folder, const std::string& name);

  Head head() const;
  // Adds the records of the epoch's frames, of at most so many; 0 or errno. `bytes` holds what the
  // records refer to, and `last_frame` is the number of the first record of the last frame.
  int read(std::uint64_t epoch, std::uint64_t frames, std::string& bytes,
           std::vector<WalRecord>& records, std::size_t& last_frame) const;

  // Makes it so long that all of it has been written; 0 or errno.
  int fill(std::uint64_t size);
  // Gives the space back; 0 or errno.
  int empty();
  // Begins an epoch, which forgets all frames; synced. 0 or errno.
  int start(std::uint64_t epoch, const std::string& boot);

  // Changes only that word of the head; 0 or errno.
  int set_boot(const std::string& boot);

  std::uint64_t size() const noexcept { return size_; }
  bool has_room(std::size_t bytes) const noexcept { return end_ + bytes <= size_; }
  bool is_empty() const noexcept { return index_ == 0; }
  // Where the next frame will stand.
  WalPlace next() const noexcept { return WalPlace{epoch_, index_}; }
  // Writes a frame and syncs it; 0 or errno, and then nothing can be said of it.
  int add(std::string_view frame);

 private:
  int write_head(std::uint64_t epoch, const std::string& boot);

  FileDescriptor file_;
  std::uint64_t size_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t index_ = 0;  // of the next frame
  std::uint64_t end_ = 0;    // of the last frame
};

}  // namespace flowstore::files::localfs
