// Disk: the changes that localfs makes to its folder, call by call. Everything here blocks.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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

// Safe to use from any thread; orders nothing between calls for the same path. A call that fails
// has changed nothing, except that folders may have been made, and that a replace or remove whose
// last step (the sync of the folder) fails can be seen although nobody answers for it.
class Disk {
 public:
  Disk(Beneath root, TempFolder temp, Durability durability)
      : root_(std::move(root)), temp_(std::move(temp)), durability_(durability) {}

  const Beneath& root() const noexcept { return root_; }
  TempFolder& temp() noexcept { return temp_; }

  // Puts a whole temporary file in the place of `path`, making folders. EISDIR for a folder, ELOOP
  // for what is neither file nor folder.
  Outcome<WriteResult> replace(const std::string& path, TempFile file);

  // Adds bytes, or the content of a temporary file, to the end; all or nothing. A file that has
  // other names (hard links) keeps its content under those. Errors as replace().
  Outcome<WriteResult> append(const std::string& path, std::string_view bytes);
  Outcome<WriteResult> append(const std::string& path, const TempFile& file);

  // Removes a file; its size. EISDIR for a folder. Links and the like go too, and held nothing.
  Outcome<std::uint64_t> remove(const std::string& path);

  // Makes changes of the names in this folder survive what the durability says.
  int sync_folder(int folder) const;

 private:
  struct Target;

  Opened make_folders(std::string_view path);
  Opened make_missing_folders(std::string_view path);
  Opened make_folder_in(int parent, const std::string& name);
  int sync_names_of(std::string_view path) const;
  Outcome<WriteResult> replace_in(int folder, const std::string& name, TempFile& file);
  Outcome<WriteResult> replace_across(int folder, const std::string& name, const TempFile& file);
  int publish(TempFile& file, int folder, const std::string& name, bool is_new) const;
  int exchange(const TempFile& file, int folder, const std::string& name) const;
  template <class Write>
  Outcome<WriteResult> append_with(const std::string& path, Write write);
  template <class Write>
  Outcome<WriteResult> append_to_copy(const std::string& path, int folder, Write write);
  Outcome<Target> open_for_append(const std::string& path);
  int finish_append(const Target& target, struct stat& status) const;
  int take_back(const Target& target, const std::string& name) const;

  Beneath root_;
  TempFolder temp_;
  Durability durability_;
  // Folders that some thread has made and not synced yet, plus those that it is about to make.
  std::unique_ptr<std::atomic<int>> unsynced_folders_ = std::make_unique<std::atomic<int>>(0);
};

}  // namespace flowstore::files::localfs
