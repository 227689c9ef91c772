// Blocks: writes, renames and syncs.

#include "files/localfs/disk.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

namespace flowstore::files::localfs {
namespace {

constexpr std::size_t kCopyBytes = 256 * 1024;

// A folder can be removed by somebody between our making it and using it.
constexpr int kFolderTries = 5;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

void append_hex(std::string& out, std::uint64_t number) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  out.append(digits.data(), end);
}

// The kernel stamps changes with a clock that ticks every few milliseconds; entity tags need one
// that does not stand still between two writes.
int stamp(int file) {
  std::array<timespec, 2> times{};
  times[0].tv_nsec = UTIME_OMIT;
  ::clock_gettime(CLOCK_REALTIME, &times[1]);
  return ::futimens(file, times.data()) == 0 ? 0 : errno;
}

// Keeps the permissions and owner that a replaced file had, as far as this process may.
void keep_attributes(int file, const struct stat& old) {
  struct stat made {};
  if (::fstat(file, &made) != 0) return;
  if (made.st_uid != old.st_uid || made.st_gid != old.st_gid) {
    if (::fchown(file, old.st_uid, old.st_gid) != 0) return;
  }
  if ((made.st_mode & 07777) != (old.st_mode & 07777)) ::fchmod(file, old.st_mode & 07777);
}

// Copies the whole of one file to the end of another; 0 or errno.
int copy_all(int from, int to) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kCopyBytes);
  for (off_t offset = 0;;) {
    const ssize_t got = ::pread(from, buffer.get(), kCopyBytes, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (const int error =
            write_all(to, std::string_view(buffer.get(), static_cast<std::size_t>(got)))) {
      return error;
    }
    offset += got;
  }
}

}  // namespace

FileStat describe(const struct stat& status) {
  FileStat stat;
  stat.size = static_cast<std::uint64_t>(status.st_size);
  const std::int64_t modified = nanoseconds(status.st_mtim);
  stat.etag.reserve(48);
  stat.etag.push_back('"');
  append_hex(stat.etag, static_cast<std::uint64_t>(status.st_ino));
  stat.etag.push_back('-');
  append_hex(stat.etag, stat.size);
  stat.etag.push_back('-');
  append_hex(stat.etag, static_cast<std::uint64_t>(modified));
  stat.etag.push_back('"');
  stat.modified = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(modified)));
  return stat;
}

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// An open file that is being appended to, and how it was before.
struct Disk::Target {
  FileDescriptor folder;
  FileDescriptor file;
  std::uint64_t old_size = 0;
  bool is_new = false;
};

Outcome<WriteResult> Disk::replace(const std::string& path, TempFile file) {
  using Result = Outcome<WriteResult>;
  const auto [parent, leaf] = split_path(path);
  const std::string name(leaf);
  const Opened folder = make_folders(parent);
  if (folder.error != 0) return Result::failed(folder.error);

  struct stat old {};
  const bool is_new = ::fstatat(folder.file.get(), name.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0;
  if (is_new && errno != ENOENT) return Result::failed(errno);
  if (!is_new && S_ISDIR(old.st_mode)) return Result::failed(EISDIR);
  if (!is_new) keep_attributes(file.file(), old);
  if (const int error = stamp(file.file())) return Result::failed(error);
  // Write, sync, rename, sync the folder. Drop any one of the four and a power cut can leave an
  // empty file where yesterday's data was.
  if (durability_ == Durability::strict && ::fdatasync(file.file()) != 0) {
    return Result::failed(errno);
  }
  struct stat status {};
  if (::fstat(file.file(), &status) != 0) return Result::failed(errno);
  if (const int error = publish(file, folder.file.get(), name, is_new))
    return Result::failed(error);
  // What is left under the temporary name, if anything, is the old file: it goes with `file`.
  if (is_new || durability_ == Durability::strict) file.forget_name();
  if (const int error = sync_folder(folder.file.get())) return Result::failed(error);

  WriteResult result;
  result.stat = describe(status);
  result.replaced_bytes = is_new ? 0 : static_cast<std::uint64_t>(old.st_size);
  result.is_new = is_new;
  return result;
}

int Disk::publish(const TempFile& file, int folder, const std::string& name, bool is_new) const {
  // ext4 writes a file out at once when it is renamed over another, to save programs that forget to
  // sync; relaxed does not want to wait for that. Exchanging the two names does not do it, and
  // readers see the old or the new file all the same (docs/decisions/0005-durability-levels.md).
  if (durability_ == Durability::relaxed && !is_new) {
    const long exchanged =
        ::renameat2(file.folder(), file.name(), folder, name.c_str(), RENAME_EXCHANGE);
    if (exchanged == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOENT) return errno;
  }
  return ::renameat(file.folder(), file.name(), folder, name.c_str()) == 0 ? 0 : errno;
}

int Disk::sync_folder(int folder) const {
  if (durability_ != Durability::strict) return 0;
  return ::fsync(folder) == 0 ? 0 : errno;
}

Outcome<WriteResult> Disk::append(const std::string& path, std::string_view bytes) {
  auto target = open_for_append(path);
  if (!target.value) return Outcome<WriteResult>::failed(target.error);
  const int error = write_all(target.value->file.get(), bytes);
  return finish_append(*std::move(target.value), error);
}

Outcome<WriteResult> Disk::append(const std::string& path, const TempFile& file) {
  auto target = open_for_append(path);
  if (!target.value) return Outcome<WriteResult>::failed(target.error);
  const int error = copy_all(file.file(), target.value->file.get());
  return finish_append(*std::move(target.value), error);
}

Outcome<Disk::Target> Disk::open_for_append(const std::string& path) {
  using Result = Outcome<Target>;
  const auto [parent, leaf] = split_path(path);
  const std::string name(leaf);
  Opened folder = make_folders(parent);
  if (folder.error != 0) return Result::failed(folder.error);
  // O_NONBLOCK: a FIFO that lies there must not make us wait for its reader.
  const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  Target target;
  target.file = FileDescriptor(::openat(folder.file.get(), name.c_str(), flags));
  if (!target.file && errno == ENOENT) {
    target.is_new = true;
    target.file = FileDescriptor(::openat(folder.file.get(), name.c_str(), flags | O_CREAT, 0666));
  }
  if (!target.file) return Result::failed(errno);
  struct stat status {};
  if (::fstat(target.file.get(), &status) != 0) return Result::failed(errno);
  if (!S_ISREG(status.st_mode)) return Result::failed(ELOOP);
  target.old_size = static_cast<std::uint64_t>(status.st_size);
  target.folder = std::move(folder.file);
  return target;
}

Outcome<WriteResult> Disk::finish_append(Target target, int error) {
  const int file = target.file.get();
  if (error == 0) error = stamp(file);
  if (error == 0 && durability_ == Durability::strict && ::fdatasync(file) != 0) error = errno;
  if (error == 0 && target.is_new) error = sync_folder(target.folder.get());
  struct stat status {};
  if (error == 0 && ::fstat(file, &status) != 0) error = errno;
  if (error != 0) {
    // Half of an append is none.
    if (::ftruncate(file, static_cast<off_t>(target.old_size)) != 0)
      return Outcome<WriteResult>::failed(errno);
    return Outcome<WriteResult>::failed(error);
  }
  WriteResult result;
  result.stat = describe(status);
  result.replaced_bytes = target.old_size;
  result.is_new = target.is_new;
  return result;
}

Outcome<std::uint64_t> Disk::remove(const std::string& path) {
  using Result = Outcome<std::uint64_t>;
  const auto [parent, leaf] = split_path(path);
  const std::string name(leaf);
  const Opened folder = root_.open(parent, O_RDONLY | O_DIRECTORY);
  if (folder.error != 0) return Result::failed(folder.error);
  struct stat status {};
  if (::fstatat(folder.file.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return Result::failed(errno);
  }
  if (S_ISDIR(status.st_mode)) return Result::failed(EISDIR);
  if (::unlinkat(folder.file.get(), name.c_str(), 0) != 0) return Result::failed(errno);
  if (const int error = sync_folder(folder.file.get())) return Result::failed(error);
  // A link or a FIFO that somebody planted holds no bytes of the project.
  return S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : std::uint64_t{0};
}

Opened Disk::make_folders(std::string_view path) {
  Opened folder = root_.open(path, O_RDONLY | O_DIRECTORY);
  for (int tried = 0; folder.error == ENOENT && tried < kFolderTries; ++tried) {
    // The first part that is missing, from the left; those before it are opened by the kernel's
    // rules, so that no link leads the making astray.
    Opened parent{FileDescriptor(::openat(root_.root(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                  0};
    for (std::string_view rest = path; !rest.empty() && parent.error == 0;) {
      const std::size_t slash = std::min(rest.find('/'), rest.size());
      parent = make_folder_in(parent.file.get(), std::string(rest.substr(0, slash)));
      rest.remove_prefix(std::min(rest.size(), slash + 1));
    }
    if (parent.error != 0 && parent.error != ENOENT) return parent;
    folder = root_.open(path, O_RDONLY | O_DIRECTORY);
  }
  return folder;
}

Opened Disk::make_folder_in(int parent, const std::string& name) {
  const bool is_made = ::mkdirat(parent, name.c_str(), 0777) == 0;
  if (!is_made && errno != EEXIST) return Opened{FileDescriptor(), errno};
  if (is_made) {
    if (const int error = sync_folder(parent)) return Opened{FileDescriptor(), error};
  }
  FileDescriptor made(
      ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const int error = made ? 0 : errno;
  return Opened{std::move(made), error};
}

}  // namespace flowstore::files::localfs
