// Blocks: opens files.

#include "files/localfs/beneath.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace flowstore::files::localfs {
namespace {

constexpr std::uint64_t kBeneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

// The kernel says EAGAIN when somebody renames folders on the way; a few tries outlast that.
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

}  // namespace

Beneath::Beneath(FileDescriptor root, Resolution resolution)
    : root_(std::move(root)),
      is_componentwise_(resolution == Resolution::componentwise || !has_openat2(root_.get())) {}

Opened Beneath::open(std::string_view path, int flags, mode_t mode) const {
  if (is_componentwise_) return open_by_parts(path, flags, mode);
  const std::string text(path);
  for (int tried = 1;; ++tried) {
    Opened result = open_by_kernel(text, flags, mode, kBeneath);
    if (result.error != EAGAIN || tried == kTries) return result;
  }
}

Opened Beneath::open_cached(std::string_view path, int flags) const {
  if (is_componentwise_) return Opened{FileDescriptor(), EAGAIN};
  return open_by_kernel(std::string(path), flags, 0, kBeneath | RESOLVE_CACHED);
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
    if (slash == std::string_view::npos) {
      return opened(::openat(at, part.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
    }
    Opened next = opened(::openat(at, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
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
