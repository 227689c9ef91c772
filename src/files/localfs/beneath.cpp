// Blocks: opens files.

#include "files/localfs/beneath.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace flowstore::files::localfs {
namespace {

constexpr std::uint64_t kBeneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

// The kernel says EAGAIN when somebody renames folders on the way. A few tries outlast that, and a
// walk part by part does not care.
constexpr int kTries = 16;

Opened opened(long result) {
  if (result < 0) return Opened{FileDescriptor(), errno};
  return Opened{FileDescriptor(static_cast<int>(result)), 0};
}

long open_at2(int folder, const char* path, int flags, mode_t mode, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = resolve;
  return ::syscall(SYS_openat2, folder, path, &how, sizeof(how));
}

bool has_openat2(int root) {
  const Opened probe = opened(open_at2(root, ".", O_PATH | O_DIRECTORY, 0, kBeneath));
  return probe.error == 0;
}

bool is_link(int folder, const std::string& name) {
  struct stat status {};
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(status.st_mode);
}

// Opens one part of a path. For a link O_NOFOLLOW alone says ENOTDIR where a folder was asked for,
// and opens the link itself with O_PATH; here both are ELOOP, as openat2 says.
Opened open_part(int folder, const std::string& name, int flags, mode_t mode) {
  Opened result = opened(::openat(folder, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
  struct stat status {};
  const bool may_be_link = result.error == 0 && (flags & O_PATH) != 0;
  if (may_be_link && ::fstat(result.file.get(), &status) == 0 && S_ISLNK(status.st_mode)) {
    return Opened{FileDescriptor(), ELOOP};
  }
  if (result.error == ENOTDIR && is_link(folder, name)) result.error = ELOOP;
  return result;
}

}  // namespace

Beneath::Beneath(FileDescriptor root, Resolution resolution)
    : root_(std::move(root)),
      is_componentwise_(resolution == Resolution::componentwise || !has_openat2(root_.get())) {}

Opened Beneath::open(std::string_view path, int flags, mode_t mode) const {
  if (is_componentwise_) return open_by_parts(path, flags, mode);
  const std::string text(path);
  for (int tried = 0; tried < kTries; ++tried) {
    Opened result = open_by_kernel(text, flags, mode, kBeneath);
    if (result.error != EAGAIN) return result;
  }
  return open_by_parts(path, flags, mode);
}

Opened Beneath::open_cached(const std::string& path, int flags) const {
  if (is_componentwise_) return Opened{FileDescriptor(), EAGAIN};
  Opened result = open_by_kernel(path, flags, 0, kBeneath | RESOLVE_CACHED);
  // Linux 5.6 to 5.11 knows openat2, but not this flag.
  if (result.error == EINVAL) result.error = EAGAIN;
  return result;
}

Opened Beneath::open_by_kernel(const std::string& path, int flags, mode_t mode,
                               std::uint64_t resolve) const {
  return opened(open_at2(root_.get(), path.c_str(), flags, mode, resolve));
}

Opened Beneath::open_by_parts(std::string_view path, int flags, mode_t mode) const {
  FileDescriptor folder;
  while (true) {
    const int at = folder ? folder.get() : root_.get();
    const std::size_t slash = path.find('/');
    const std::string part(path.substr(0, slash));
    if (slash == std::string_view::npos) return open_part(at, part, flags, mode);
    Opened next = open_part(at, part, O_PATH | O_DIRECTORY, 0);
    if (next.error != 0) return next;
    folder = std::move(next.file);
    path.remove_prefix(slash + 1);
  }
}

ParentAndName split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ParentAndName{std::string_view(), path};
  return ParentAndName{path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace flowstore::files::localfs
