// Disk: the changes that localfs makes to its folder, call by call. Everything here blocks.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "files/file_store.h"
#include "files/localfs/beneath.h"
#include "files/localfs/temp_folder.h"

namespace flowstore::files::localfs {

// What an answered write has survived; see docs/storage.md.
enum class Durability : std::uint8_t {
  strict,   // a power cut
  relaxed,  // a crash of the process
};

// A value, or the errno that says why not.
template <class T>
struct Outcome {
  Outcome(T good) : value(std::move(good)) {}
  static Outcome failed(int error) {
    Outcome outcome;
    outcome.error = error;
    return outcome;
  }

  std::optional<T> value;
  int error = 0;

 private:
  Outcome() = default;
};

// What is known of an open file. The entity tag is made of inode, size and the time of the last
// change in nanoseconds, which every write here sets itself: the kernel's own may stand still for
// some milliseconds.
FileStat describe(const struct stat& status);

// Writes all of it; 0 or errno.
int write_all(int file, std::string_view bytes);

// Safe to use from any thread; orders nothing between calls for the same path.
class Disk {
 public:
  Disk(Beneath root, TempFolder temp, Durability durability)
      : root_(std::move(root)), temp_(std::move(temp)), durability_(durability) {}

  const Beneath& root() const noexcept { return root_; }
  TempFolder& temp() noexcept { return temp_; }

  // Puts a whole temporary file in the place of `path`, making folders.
  Outcome<WriteResult> replace(const std::string& path, TempFile file);

  // Adds bytes, or the content of a temporary file, to the end; all or nothing.
  Outcome<WriteResult> append(const std::string& path, std::string_view bytes);
  Outcome<WriteResult> append(const std::string& path, const TempFile& file);

  // Removes a file; its size. EISDIR for a folder.
  Outcome<std::uint64_t> remove(const std::string& path);

  // Makes a removal or change of name in this folder survive what the durability says.
  int sync_folder(int folder) const;

 private:
  struct Target;

  Opened make_folders(std::string_view path);
  Opened make_folder_in(int parent, const std::string& name);
  Outcome<Target> open_for_append(const std::string& path);
  Outcome<WriteResult> finish_append(Target target, int error);
  int publish(const TempFile& file, int folder, const std::string& name, bool is_new) const;

  Beneath root_;
  TempFolder temp_;
  Durability durability_;
};

}  // namespace flowstore::files::localfs
