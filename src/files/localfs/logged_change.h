// LoggedChange: a change of one file that the write-ahead log makes.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "base/file_descriptor.h"
#include "base/suspend.h"
#include "files/file_store.h"
#include "files/localfs/disk.h"
#include "files/localfs/file_versions.h"
#include "files/localfs/wal_frame.h"

namespace flowstore::files::localfs {

// Up to here a file is rewritten in place, if it does not become shorter: a write that stays within
// one page of the kernel is made as a whole or not at all, also when the process is killed in the
// midst of it (a fatal signal ends a write between pages only), and the log repairs what a power
// cut may do to it. Everything else takes the place of the old file under its name.
inline constexpr std::uint64_t kMostInPlace = kPage;

// Lives in the frame of the coroutine that waits for it.
struct LoggedChange {
  LoggedChange(WalOperation what, const std::string& where, std::string_view with)
      : operation(what), path(where), bytes(with) {}

  WalOperation operation;
  const std::string& path;
  std::string_view bytes;
  FileDescriptor target;  // the file, if it is changed in place
  struct stat old {};     // of the target

  // What came of it. `is_made` is false if there is no log just now, and then nothing was done.
  bool is_made = false;
  int error = 0;
  WriteResult written;
  std::uint64_t removed_bytes = 0;

  // Of the log.
  ModifiedTime modified;
  std::uint64_t sequence = 0;
  Resume resume;

  WalRecord record() const;
};

// Opens the target of a replace by so many bytes that can be made in place; no descriptor if it
// cannot. Never waits for the disk.
void find_place(const Disk& disk, LoggedChange& change);

// Opens the file that is appended to; where there is none, the bytes become the whole file. 0, or
// the errno that opening it gave: EAGAIN if the disk has to be asked, which Wait::allowed does;
// EXDEV or EMLINK for a file that is not changed by way of the log.
enum class Wait : std::uint8_t { never, allowed };
int find_end(const Disk& disk, LoggedChange& change, Wait wait);

// Makes a change that stands in the log. `disk` is the logged() one. Blocks.
void make(Disk& disk, FileVersions& versions, LoggedChange& change);

}  // namespace flowstore::files::localfs
