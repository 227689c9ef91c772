// Blocks: changes files, but for find_place() and find_end() with Wait::never.

#include "files/localfs/logged_change.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/crash_point.h"

namespace flowstore::files::localfs {
namespace {

// O_NONBLOCK: a FIFO that lies there must not make us wait.
constexpr int kFlags = O_NONBLOCK | O_NOCTTY;

// Rewriting a part of a page that is not in memory would read it first.
bool is_in_memory(int file, const struct stat& status) {
  if (status.st_size == 0) return true;
  char byte = 0;
  const iovec into{&byte, 1};
  return ::preadv2(file, &into, 1, 0, RWF_NOWAIT) == 1;
}

// A file with other names would change under them, too.
bool can_be_rewritten(const Disk& disk, const LoggedChange& change) {
  const struct stat& old = change.old;
  return S_ISREG(old.st_mode) && old.st_nlink == 1 &&
         static_cast<std::uint64_t>(old.st_size) <= change.bytes.size() && disk.is_on_root(old) &&
         is_in_memory(change.target.get(), old);
}

Outcome<WriteResult> written(const LoggedChange& change, std::uint64_t size) {
  WriteResult result;
  result.stat = describe(change.old, size, change.modified);
  result.replaced_bytes = static_cast<std::uint64_t>(change.old.st_size);
  return result;
}

bool is_still_there(int file) {
  struct stat now {};
  return ::fstat(file, &now) == 0 && now.st_nlink > 0;
}

Outcome<WriteResult> rewrite(FileVersions& versions, const LoggedChange& change) {
  const int file = change.target.get();
  const FileVersions::Change changing(versions, change.path);
  int error = write_all_at(file, change.bytes, 0);
  crash_point(CrashPoint::file_rewritten);
  if (error == 0) error = stamp(file, change.modified);
  if (error != 0) return Outcome<WriteResult>::failed(error);
  return written(change, change.bytes.size());
}

// The file has been replaced since by one with the same content, when the log was made again. 0, or
// errno if what is there now does not fit to what the log says of the append.
int find_end_again(const Disk& disk, LoggedChange& change) {
  const auto end = change.old.st_size;
  if (const int error = find_end(disk, change, Wait::allowed)) return error;
  const bool fits = change.operation == WalOperation::append && change.old.st_size == end;
  return fits ? 0 : EAGAIN;
}

Outcome<WriteResult> append(const Disk& disk, FileVersions& versions, LoggedChange& change) {
  if (!is_still_there(change.target.get())) {
    const int error = find_end_again(disk, change);
    if (error != 0) return Outcome<WriteResult>::failed(error);
  }
  const int file = change.target.get();
  const auto end = static_cast<std::uint64_t>(change.old.st_size);
  const FileVersions::Change changing(versions, change.path);
  int error = write_all_at(file, change.bytes, end);
  crash_point(CrashPoint::append_written);
  if (error == 0) error = stamp(file, change.modified);
  if (error == 0) return written(change, end + change.bytes.size());
  // Half of an append is none. If not even that works, the disk's last word is the answer.
  if (::ftruncate(file, change.old.st_size) != 0) error = errno;
  return Outcome<WriteResult>::failed(error);
}

Outcome<WriteResult> write(Disk& disk, FileVersions& versions, LoggedChange& change) {
  if (change.operation == WalOperation::append) return append(disk, versions, change);
  if (change.target && is_still_there(change.target.get())) return rewrite(versions, change);
  return disk.replace(change.path, change.bytes, change.modified);
}

}  // namespace

WalRecord LoggedChange::record() const {
  WalRecord record;
  record.operation = operation;
  record.path = path;
  record.bytes = bytes;
  record.modified = modified;
  if (operation == WalOperation::append) record.position = static_cast<std::uint64_t>(old.st_size);
  return record;
}

void find_place(const Disk& disk, LoggedChange& change) {
  if (change.bytes.empty() || change.bytes.size() > kMostInPlace) return;
  change.target = std::move(disk.root().open_cached(change.path, O_RDWR | kFlags).file);
  if (!change.target) return;
  const bool is_known = ::fstat(change.target.get(), &change.old) == 0;
  if (!is_known || !can_be_rewritten(disk, change)) change.target = FileDescriptor();
}

int find_end(const Disk& disk, LoggedChange& change, Wait wait) {
  Opened opened = wait == Wait::never ? disk.root().open_cached(change.path, O_WRONLY | kFlags)
                                      : disk.root().open(change.path, O_WRONLY | kFlags);
  if (opened.error == ENOENT) change.operation = WalOperation::replace;
  if (opened.error != 0) return opened.error == ENOENT ? 0 : opened.error;
  if (::fstat(opened.file.get(), &change.old) != 0) return errno;
  if (!S_ISREG(change.old.st_mode)) return ELOOP;
  if (!disk.is_on_root(change.old)) return EXDEV;
  if (change.old.st_nlink != 1) return EMLINK;
  change.target = std::move(opened.file);
  return 0;
}

void make(Disk& disk, FileVersions& versions, LoggedChange& change) {
  if (change.operation == WalOperation::remove) {
    const auto removed = disk.remove(change.path);
    change.error = removed.error;
    change.removed_bytes = removed.value.value_or(0);
    return;
  }
  if (change.operation != WalOperation::replace && change.operation != WalOperation::append) return;
  auto outcome = write(disk, versions, change);
  change.error = outcome.error;
  if (outcome.value) change.written = *std::move(outcome.value);
}

}  // namespace flowstore::files::localfs
