// Blocks: reads and removes folders.

#include "files/localfs/tree.h"

#include <cerrno>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/crash_point.h"

namespace flowstore::files::localfs {
namespace {

std::string join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

// Somebody removed the folder, or put something else in its place, since we read its name.
bool has_vanished(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP; }

// Opens a folder and reads it; 0 or errno.
int open_and_read(const Beneath& root, const std::string& path, FileDescriptor& folder,
                  std::vector<Found>& found) {
  Opened opened = root.open(path, O_RDONLY | O_DIRECTORY);
  if (opened.error != 0) return opened.error;
  folder = std::move(opened.file);
  return read_folder(folder.get(), found);
}

// Removes one thing that is no folder; 0, also if it was gone, or errno.
int remove_entry(int folder, const Found& one, RemovedTree& removed) {
  struct stat status {};
  const bool is_known = stat_at(folder, one.name, status);
  if (::unlinkat(folder, one.name.c_str(), 0) != 0) return errno == ENOENT ? 0 : errno;
  crash_point(CrashPoint::tree_file_unlinked);
  ++removed.files;
  if (is_known && S_ISREG(status.st_mode)) {
    removed.bytes += static_cast<std::uint64_t>(status.st_size);
  }
  return 0;
}

// Removes all that is no folder below `path`. `emptied` gets the folders, the deepest ones last.
int remove_files(const Beneath& root, const std::string& path, RemovedTree& removed,
                 std::vector<std::string>& emptied) {
  std::vector<std::string> pending = {path};
  while (!pending.empty()) {
    const std::string place = std::move(pending.back());
    pending.pop_back();
    FileDescriptor folder;
    std::vector<Found> found;
    const int error = open_and_read(root, place, folder, found);
    if (error != 0 && place != path && has_vanished(error)) continue;
    if (error != 0) return error;
    for (const Found& one : found) {
      if (one.is_folder) {
        pending.push_back(join(place, one.name));
      } else if (const int failed = remove_entry(folder.get(), one, removed)) {
        return failed;
      }
    }
    emptied.push_back(place);
  }
  return 0;
}

int sync_path(const Disk& disk, const std::string& path) {
  const Opened folder = disk.root().open(path, O_RDONLY | O_DIRECTORY);
  if (folder.error != 0) return has_vanished(folder.error) ? 0 : folder.error;
  return disk.sync_folder(folder.file.get());
}

// Removes a folder; one that got a new file meanwhile, or that is a mount, stays and is synced
// itself. 0 or errno.
int remove_folder(const Disk& disk, const std::string& path) {
  const auto [parent, name] = split_path(path);
  const Opened folder = disk.root().open(parent, O_RDONLY | O_DIRECTORY);
  if (folder.error != 0) return has_vanished(folder.error) ? 0 : folder.error;
  if (::unlinkat(folder.file.get(), std::string(name).c_str(), AT_REMOVEDIR) == 0) {
    crash_point(CrashPoint::tree_folder_unlinked);
    return 0;
  }
  if (has_vanished(errno)) return 0;
  if (errno != ENOTEMPTY && errno != EEXIST && errno != EBUSY) return errno;
  return sync_path(disk, path);
}

}  // namespace

bool stat_at(int folder, const std::string& name, struct stat& status) {
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

int read_folder(int folder, std::vector<Found>& found) {
  FileDescriptor copy(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return errno;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy.get()), &::closedir);
  if (!entries) return errno;
  copy.release();  // closedir() closes it
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(entries.get());
    if (entry == nullptr) return errno;
    Found one;
    one.name = entry->d_name;
    if (one.name == "." || one.name == "..") continue;
    one.is_folder = entry->d_type == DT_DIR;
    one.is_file = entry->d_type == DT_REG;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat status {};
      if (!stat_at(folder, one.name, status)) continue;
      one.is_folder = S_ISDIR(status.st_mode);
      one.is_file = S_ISREG(status.st_mode);
    }
    found.push_back(std::move(one));
  }
}

int walk(const Beneath& root, const std::string& path, const Visit& visit) {
  std::vector<std::string> pending = {std::string()};
  while (!pending.empty()) {
    const std::string relative = std::move(pending.back());
    pending.pop_back();
    FileDescriptor folder;
    std::vector<Found> found;
    const std::string place = relative.empty() ? path : join(path, relative);
    const int error = open_and_read(root, place, folder, found);
    if (error != 0 && !relative.empty() && has_vanished(error)) continue;
    if (error != 0) return error;
    for (const Found& one : found) {
      if (one.is_folder) pending.push_back(join(relative, one.name));
      struct stat status {};
      if (one.is_file && stat_at(folder.get(), one.name, status)) {
        visit(join(relative, one.name), status);
      }
    }
  }
  return 0;
}

int remove_tree(const Disk& disk, const std::string& path, Top top, RemovedTree& removed) {
  std::vector<std::string> emptied;
  if (const int error = remove_files(disk.root(), path, removed, emptied)) return error;
  for (auto place = emptied.rbegin(); place != emptied.rend(); ++place) {
    if (top == Top::keep && *place == path) continue;
    if (const int error = remove_folder(disk, *place)) return error;
  }
  // One sync is enough: whatever has lost its place here cannot be reached any more.
  return sync_path(disk, top == Top::keep ? path : std::string(split_path(path).parent));
}

}  // namespace flowstore::files::localfs
