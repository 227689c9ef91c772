// Blocks: writes, renames and syncs.

#include "files/localfs/disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "files/localfs/file_io.h"

namespace flowstore::files::localfs {
namespace {

// What lies under a name: 0, and in `status` whatever it is, links not followed; ENOENT if nothing;
// EISDIR or ELOOP if no file can take its place.
int look_at(int folder, const std::string& name, struct stat& status) {
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return S_ISREG(status.st_mode) ? 0 : ELOOP;
}

// Counts for as long as it lives.
class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::atomic<int>& count_;
};

}  // namespace

dev_t Disk::device_of(int folder) {
  struct stat status {};
  return ::fstat(folder, &status) == 0 ? status.st_dev : 0;
}

// Whether changes in this folder are synced at once.
bool Disk::syncs(int folder) const {
  if (durability_ == Durability::logged) return device_of(folder) != place_->device;
  return durability_ == Durability::strict;
}

// Whether a folder on the way, or a file's name, may be there without having been synced.
bool Disk::has_unsynced_names() const {
  return place_->unsynced_folders != 0 || place_->logged_changes != place_->settled_changes;
}

void Disk::note_changed_name() const {
  if (durability_ == Durability::logged) ++place_->logged_changes;
}

Outcome<WriteResult> Disk::replace(const std::string& path, std::string_view bytes,
                                   ModifiedTime modified) {
  auto file = temp_file_of(bytes);
  if (!file.value) return Outcome<WriteResult>::failed(file.error);
  return replace(path, *std::move(file.value), modified);
}

Outcome<TempFile> Disk::temp_file_of(std::string_view bytes) {
  int error = 0;
  TempFile file = place_->temp.create(error);
  if (error == 0) error = write_all(file.file(), bytes);
  if (error != 0) return Outcome<TempFile>::failed(error);
  return Outcome<TempFile>(std::move(file));
}

Outcome<WriteResult> Disk::replace(const std::string& path, TempFile file, ModifiedTime modified) {
  const auto [parent, leaf] = split_path(path);
  const std::string name(leaf);
  for (int tried = 0; tried < kFolderTries; ++tried) {
    const Opened folder = make_folders(parent);
    if (folder.error != 0) return Outcome<WriteResult>::failed(folder.error);
    auto result = put_in(folder.file.get(), name, file, modified, Onto::file);
    if (result.error != ENOENT) return result;
  }
  return Outcome<WriteResult>::failed(EAGAIN);
}

Outcome<WriteResult> Disk::put_in(int folder, const std::string& name, TempFile& file,
                                  ModifiedTime modified, Onto onto) {
  auto result = replace_in(folder, name, file, modified, onto);
  if (result.error == EXDEV) result = replace_across(folder, name, file, modified, onto);
  return result;
}

Outcome<WriteResult> Disk::replace_in(int folder, const std::string& name, TempFile& file,
                                      ModifiedTime modified, Onto onto) {
  using Result = Outcome<WriteResult>;
  struct stat old {};
  const int found = look_at(folder, name, old);
  const bool is_new = found == ENOENT;
  if (found == 0 && onto == Onto::nothing) return Result::failed(EEXIST);
  if (found != 0 && !is_new) return Result::failed(found);
  if (!is_new) take_attributes(file.file(), old);
  if (const int error = stamp(file.file(), modified)) return Result::failed(error);
  crash_point(CrashPoint::temp_written);
  // Write, sync, rename, sync the folder. Drop any one of the four and a power cut can leave an
  // empty file where yesterday's data was.
  if (syncs(folder) && ::fdatasync(file.file()) != 0) return Result::failed(errno);
  crash_point(CrashPoint::temp_synced);
  struct stat status {};
  if (::fstat(file.file(), &status) != 0) return Result::failed(errno);
  int error =
      onto == Onto::nothing ? publish_new(file, folder, name) : publish(file, folder, name, is_new);
  if (error != 0) return Result::failed(error);
  crash_point(CrashPoint::file_published);
  error = sync_folder(folder);
  // Of an append that is not answered nothing stays. If not even that works, the disk's last word
  // is the answer.
  if (error != 0 && onto == Onto::nothing && ::unlinkat(folder, name.c_str(), 0) != 0)
    error = errno;
  if (error != 0) return Result::failed(error);
  crash_point(CrashPoint::folder_synced);

  WriteResult result;
  result.stat = describe(status);
  result.replaced_bytes = is_new ? 0 : static_cast<std::uint64_t>(old.st_size);
  return result;
}

// The folder lies on another file system than the temporary files, which cannot be renamed into it:
// the body is copied to a temporary file beside the target first.
Outcome<WriteResult> Disk::replace_across(int folder, const std::string& name, const TempFile& file,
                                          ModifiedTime modified, Onto onto) {
  int error = 0;
  TempFile near = place_->temp.create_in(folder, error);
  if (error == 0) error = copy_all(file.file(), near.file());
  if (error != 0) return Outcome<WriteResult>::failed(error);
  return replace_in(folder, name, near, modified, onto);
}

int Disk::publish(TempFile& file, int folder, const std::string& name, bool is_new) const {
  note_changed_name();
  // ext4 writes a file out at once when it is renamed over another, to save programs that forget to
  // sync; who does not sync does not want to wait for that. Exchanging the two names does not do
  // it, and readers see the old or the new file all the same
  // (docs/decisions/0005-durability-levels.md).
  if (durability_ != Durability::strict && !is_new) {
    const int error = exchange(file, folder, name);
    // ENOENT: the old file has gone meanwhile, or the whole folder; the caller looks again.
    if (error == 0 || error == EISDIR || error == ENOENT) return error;
    // Many file systems cannot do it (NFS, FUSE); what else went wrong, the rename says as well.
  }
  if (::renameat(file.folder(), file.name(), folder, name.c_str()) != 0) return errno;
  file.forget_name();
  return 0;
}

// EEXIST if somebody else has the name by now.
int Disk::publish_new(TempFile& file, int folder, const std::string& name) const {
  note_changed_name();
  const int at = file.folder();
  if (::renameat2(at, file.name(), folder, name.c_str(), RENAME_NOREPLACE) == 0) {
    file.forget_name();
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // NFS and some others know no such rename. The other name goes with the temporary file.
  if (::linkat(at, file.name(), folder, name.c_str(), 0) == 0) return 0;
  if (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP) return errno;
  return publish(file, folder, name, true);
}

// Afterwards the old file has the temporary name and goes with it. EISDIR, with nothing changed, if
// a folder has taken the place of the old file since we looked: with everything in it, it would go.
int Disk::exchange(const TempFile& file, int folder, const std::string& name) const {
  const auto swap = [&] {
    return ::renameat2(file.folder(), file.name(), folder, name.c_str(), RENAME_EXCHANGE);
  };
  if (swap() != 0) return errno;
  struct stat taken {};
  const bool is_folder = ::fstatat(file.folder(), file.name(), &taken, AT_SYMLINK_NOFOLLOW) == 0 &&
                         S_ISDIR(taken.st_mode);
  if (!is_folder) return 0;
  swap();
  return EISDIR;
}

int Disk::sync_folder(int folder) const {
  if (!syncs(folder)) return 0;
  return ::fsync(folder) == 0 ? 0 : errno;
}

Outcome<std::uint64_t> Disk::remove(const std::string& path) {
  using Result = Outcome<std::uint64_t>;
  const auto [parent, leaf] = split_path(path);
  const std::string name(leaf);
  const Opened folder = place_->root.open(parent, O_RDONLY | O_DIRECTORY);
  if (folder.error != 0) return Result::failed(folder.error);
  struct stat status {};
  const int found = look_at(folder.file.get(), name, status);
  if (found != 0 && found != ELOOP) return Result::failed(found);
  note_changed_name();
  if (::unlinkat(folder.file.get(), name.c_str(), 0) != 0) return Result::failed(errno);
  crash_point(CrashPoint::file_unlinked);
  if (const int error = sync_folder(folder.file.get())) return Result::failed(error);
  return S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : std::uint64_t{0};
}

// Another thread may have made one of them a moment ago: then its name is synced here as well, so
// that what we write does not have to wait for what that thread does.
Opened Disk::make_folders(std::string_view path) {
  Opened folder = make_missing_folders(path);
  if (folder.error != 0 || durability_ != Durability::strict || !has_unsynced_names()) {
    return folder;
  }
  const int error = sync_names_of(path);
  return error == 0 ? std::move(folder) : Opened{FileDescriptor(), error};
}

// Syncs the folder above each part of the path; 0 or errno.
int Disk::sync_names_of(std::string_view path) const {
  for (path = split_path(path).parent; !path.empty(); path = split_path(path).parent) {
    const Opened above = place_->root.open(path, O_RDONLY | O_DIRECTORY);
    if (above.error != 0) return above.error;
    if (const int error = sync_folder(above.file.get())) return error;
  }
  return sync_folder(place_->root.root());
}

Opened Disk::make_missing_folders(std::string_view path) {
  Opened folder = place_->root.open(path, O_RDONLY | O_DIRECTORY);
  for (int tried = 0; folder.error == ENOENT; ++tried) {
    if (tried == kFolderTries) return Opened{FileDescriptor(), EAGAIN};
    // From the left, each opened as a part of the one before, so that no link leads astray.
    Opened parent{
        FileDescriptor(::openat(place_->root.root(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), 0};
    if (!parent.file) return Opened{FileDescriptor(), errno};
    for (std::string_view rest = path; !rest.empty() && parent.error == 0;) {
      const std::size_t slash = std::min(rest.find('/'), rest.size());
      parent = make_folder_in(parent.file.get(), std::string(rest.substr(0, slash)));
      rest.remove_prefix(std::min(rest.size(), slash + 1));
    }
    folder = std::move(parent);
  }
  return folder;
}

Opened Disk::make_folder_in(int parent, const std::string& name) {
  const Counted unsynced(place_->unsynced_folders);
  note_changed_name();
  const bool is_made = ::mkdirat(parent, name.c_str(), 0777) == 0;
  if (!is_made && errno != EEXIST) return Opened{FileDescriptor(), errno};
  if (is_made) {
    crash_point(CrashPoint::folder_made);
    if (const int error = sync_folder(parent)) {
      // Left behind, it would look like one that has been synced.
      ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
      return Opened{FileDescriptor(), error};
    }
  }
  FileDescriptor made(
      ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const int error = made ? 0 : errno;
  return Opened{std::move(made), error};
}

}  // namespace flowstore::files::localfs
