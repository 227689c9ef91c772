// Blocks: appends to files.

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "files/localfs/disk.h"

namespace flowstore::files::localfs {

Outcome<WriteResult> Disk::append(const std::string& path, std::string_view bytes,
                                  const Expected& expected) {
  Addition addition(bytes);
  return add(path, addition, expected);
}

Outcome<WriteResult> Disk::append(const std::string& path, TempFile file,
                                  const Expected& expected) {
  struct stat status {};
  if (::fstat(file.file(), &status) != 0) return Outcome<WriteResult>::failed(errno);
  Addition addition(std::move(file), static_cast<std::uint64_t>(status.st_size));
  return add(path, addition, expected);
}

Outcome<WriteResult> Disk::add(const std::string& path, Addition& addition,
                               const Expected& expected) {
  for (int tried = 0; tried < kFolderTries; ++tried) {
    const Opened folder = make_folders(split_path(path).parent);
    if (folder.error != 0) return Outcome<WriteResult>::failed(folder.error);
    auto result = add_in(folder.file.get(), path, addition, expected);
    // ENOENT: the folder has gone. EEXIST: somebody else was first to make the file.
    if (result.error != ENOENT && result.error != EEXIST) return result;
  }
  return Outcome<WriteResult>::failed(EAGAIN);
}

Outcome<WriteResult> Disk::add_in(int folder, const std::string& path, Addition& addition,
                                  const Expected& expected) {
  using Result = Outcome<WriteResult>;
  const std::string name(split_path(path).name);
  // O_NONBLOCK: a FIFO that lies there must not make us wait for its reader.
  const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const FileDescriptor target(::openat(folder, name.c_str(), flags));
  if (!target && errno == ENOENT) return add_to_nothing(folder, name, addition);
  if (!target) return Result::failed(errno);
  struct stat old {};
  if (::fstat(target.get(), &old) != 0) return Result::failed(errno);
  if (!S_ISREG(old.st_mode)) return Result::failed(ELOOP);
  const auto old_size = static_cast<std::uint64_t>(old.st_size);
  if (!expected.has_room(old_size, addition.size())) return Result::failed(kTooLong);
  if (old.st_nlink > 1) return add_to_copy(folder, path, addition);
  const auto record = place_->records.begin(path, old, addition);
  if (!record.value) return Result::failed(record.error);
  return add_to(folder, target.get(), old, addition);
}

// A new file gets its name when it is whole. One that is made empty first would be left behind by a
// kill, and nobody could tell whose it is.
Outcome<WriteResult> Disk::add_to_nothing(int folder, const std::string& name, Addition& addition) {
  const ModifiedTime now = ModifiedTime::now();
  if (addition.is_file()) return put_in(folder, name, addition.file(), now, Onto::nothing);
  auto file = temp_file_of(addition.bytes());
  if (!file.value) return Outcome<WriteResult>::failed(file.error);
  return put_in(folder, name, *file.value, now, Onto::nothing);
}

// A hard link may be a name in another project, or in a backup: what is added under this name does
// not appear under the others. The file gets bytes of its own, as with a replace.
Outcome<WriteResult> Disk::add_to_copy(int folder, const std::string& path,
                                       const Addition& addition) {
  const std::string name(split_path(path).name);
  const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const FileDescriptor old(::openat(folder, name.c_str(), flags));
  struct stat status {};
  int error = old && ::fstat(old.get(), &status) == 0 ? 0 : errno;
  if (error == 0 && !S_ISREG(status.st_mode)) error = ELOOP;
  TempFile copy;
  if (error == 0) copy = place_->temp.create(error);
  if (error == 0) error = copy_all(old.get(), copy.file());
  if (error == 0)
    error = addition.write_to(copy.file(), static_cast<std::uint64_t>(status.st_size));
  if (error != 0) return Outcome<WriteResult>::failed(error);
  return replace(path, std::move(copy));
}

Outcome<WriteResult> Disk::add_to(int folder, int target, const struct stat& old,
                                  const Addition& addition) {
  const auto old_size = static_cast<std::uint64_t>(old.st_size);
  struct stat status {};
  const GrowingFiles::Growth growth(place_->growing, old);
  crash_point(CrashPoint::append_opened);
  int error = addition.write_to(target, old_size);
  crash_point(CrashPoint::append_written);
  if (error == 0) error = finish_append(folder, target, status);
  if (error != 0) {
    // Half of an append is none. If not even that works, the disk's last word is the answer.
    if (::ftruncate(target, old.st_size) != 0) error = errno;
    return Outcome<WriteResult>::failed(error);
  }
  crash_point(CrashPoint::append_synced);
  WriteResult result;
  result.stat = describe(status);
  result.replaced_bytes = old_size;
  return result;
}

int Disk::finish_append(int folder, int target, struct stat& status) const {
  if (const int error = stamp(target, ModifiedTime::now())) return error;
  if (durability_ == Durability::strict && ::fdatasync(target) != 0) return errno;
  if (has_unsynced_names()) {
    if (const int error = sync_folder(folder)) return error;
  }
  return ::fstat(target, &status) == 0 ? 0 : errno;
}

}  // namespace flowstore::files::localfs
