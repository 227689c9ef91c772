// Disk: the changes that localfs makes to its folder, call by call. Everything here blocks.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "files/file_store.h"
#include "files/localfs/addition.h"
#include "files/localfs/append_records.h"
#include "files/localfs/beneath.h"
#include "files/localfs/file_io.h"
#include "files/localfs/growing_files.h"
#include "files/localfs/outcome.h"
#include "files/localfs/temp_folder.h"

namespace flowstore::files::localfs {

// What an answered write has survived; see docs/storage.md.
enum class Durability : std::uint8_t {
  strict,   // a power cut
  logged,   // a power cut, because the write-ahead log has the change; see wal.h
  relaxed,  // a crash of the process
};

// Safe to use from any thread; orders nothing between calls for the same path. A call that fails
// has changed nothing, except that folders may have been made, and that a replace or remove whose
// last step (the sync of the folder) fails can be seen although nobody answers for it.
class Disk {
 public:
  Disk(Beneath root, TempFolder temp, Durability durability)
      : place_(std::make_shared<Place>(std::move(root), std::move(temp))),
        durability_(durability) {}

  // The same folder, for changes that the write-ahead log has.
  Disk logged() const { return Disk(place_, Durability::logged); }

  const Beneath& root() const noexcept { return place_->root; }
  TempFolder& temp() noexcept { return place_->temp; }

  // Puts a whole temporary file in the place of `path`, making folders. EISDIR for a folder, ELOOP
  // for what is neither file nor folder. `modified` becomes the time of the change.
  Outcome<WriteResult> replace(const std::string& path, TempFile file,
                               ModifiedTime modified = ModifiedTime::now());
  // The same with these bytes.
  Outcome<WriteResult> replace(const std::string& path, std::string_view bytes,
                               ModifiedTime modified = ModifiedTime::now());

  // Adds bytes, or the content of a temporary file, to the end; all or nothing, also when the
  // process is killed, as soon as the next one has started. A file that has other names (hard
  // links) keeps its content under those. Errors as replace(), and kTooLong: the file would hold
  // more than was expected.
  Outcome<WriteResult> append(const std::string& path, std::string_view bytes,
                              const Expected& expected = Expected());
  Outcome<WriteResult> append(const std::string& path, TempFile file,
                              const Expected& expected = Expected());

  // Removes a file; its size. EISDIR for a folder. Links and the like go too, and held nothing.
  Outcome<std::uint64_t> remove(const std::string& path);

  // fstat() for readers: a file that is being appended to is what it was. 0 or errno.
  int stat(int file, struct stat& status) const { return place_->growing.stat(file, status); }

  // Makes changes of the names in this folder survive what the durability says.
  int sync_folder(int folder) const;

  // Whether this lies on the file system of the root: no other is synced with the log.
  bool is_on_root(const struct stat& status) const { return status.st_dev == place_->device; }

  // A mark of all that was changed by the log so far, to be settled when it has been synced.
  std::uint64_t logged_changes() const { return place_->logged_changes; }
  void settle(std::uint64_t changes) { place_->settled_changes = changes; }

 private:
  struct Place {
    Place(Beneath beneath, TempFolder folder) : root(std::move(beneath)), temp(std::move(folder)) {}

    Beneath root;
    TempFolder temp;
    AppendRecords records{temp};
    GrowingFiles growing;
    dev_t device = device_of(root.root());
    // Folders that some thread has made and not synced yet, plus those that it is about to make.
    std::atomic<int> unsynced_folders{0};
    // Names that were changed by the log, and how many of them the disk has for certain.
    std::atomic<std::uint64_t> logged_changes{0};
    std::atomic<std::uint64_t> settled_changes{0};
  };

  Disk(std::shared_ptr<Place> place, Durability durability)
      : place_(std::move(place)), durability_(durability) {}

  // A folder can be removed by somebody between our making it and using it. After so many times the
  // write is given up with EAGAIN, because ENOENT would tell a client that its file is missing.
  static constexpr int kFolderTries = 8;

  static dev_t device_of(int folder);
  bool syncs(int folder) const;
  bool has_unsynced_names() const;
  void note_changed_name() const;

  Opened make_folders(std::string_view path);
  Opened make_missing_folders(std::string_view path);
  Opened make_folder_in(int parent, const std::string& name);
  int sync_names_of(std::string_view path) const;
  // What may have had the name before: a file, whose place is taken, or EEXIST for whatever it is.
  enum class Onto : std::uint8_t { file, nothing };
  Outcome<TempFile> temp_file_of(std::string_view bytes);
  Outcome<WriteResult> put_in(int folder, const std::string& name, TempFile& file,
                              ModifiedTime modified, Onto onto);
  Outcome<WriteResult> replace_in(int folder, const std::string& name, TempFile& file,
                                  ModifiedTime modified, Onto onto);
  Outcome<WriteResult> replace_across(int folder, const std::string& name, const TempFile& file,
                                      ModifiedTime modified, Onto onto);
  int publish(TempFile& file, int folder, const std::string& name, bool is_new) const;
  int publish_new(TempFile& file, int folder, const std::string& name) const;
  int exchange(const TempFile& file, int folder, const std::string& name) const;

  Outcome<WriteResult> add(const std::string& path, Addition& addition, const Expected& expected);
  Outcome<WriteResult> add_in(int folder, const std::string& path, Addition& addition,
                              const Expected& expected);
  Outcome<WriteResult> add_to_nothing(int folder, const std::string& name, Addition& addition);
  Outcome<WriteResult> add_to_copy(int folder, const std::string& path, const Addition& addition);
  Outcome<WriteResult> add_to(int folder, int target, const struct stat& old,
                              const Addition& addition);
  int finish_append(int folder, int target, struct stat& status) const;

  std::shared_ptr<Place> place_;
  Durability durability_;
};

}  // namespace flowstore::files::localfs
