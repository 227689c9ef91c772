// Opening files beneath a folder, so that the kernel itself keeps every path inside.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "base/file_descriptor.h"

namespace flowstore::files::localfs {

// A descriptor, or the errno that says why not.
struct Opened {
  Opened(FileDescriptor opened, int errno_or_0) : file(std::move(opened)), error(errno_or_0) {}

  FileDescriptor file;
  int error;
};

// How a path is kept inside; `automatic` is the best that the kernel offers.
enum class Resolution : std::uint8_t { automatic, componentwise };

// The folder that everything lies in. Paths are relative, with no "." or ".." and no empty part,
// and no part of them may be a symbolic link: that is ELOOP, whatever it leads to. openat2 does it
// in one call; where it is missing or forbidden (old kernels, seccomp), every part is opened by
// itself with O_NOFOLLOW. Safe to use from any thread.
class Beneath {
 public:
  explicit Beneath(FileDescriptor root, Resolution resolution = Resolution::automatic);

  int root() const noexcept { return root_.get(); }

  // open(2); O_CLOEXEC is added. May wait for the disk.
  Opened open(std::string_view path, int flags, mode_t mode = 0) const;

  // The same from what the kernel has in memory; EAGAIN if that is not enough, or if this kernel
  // cannot (before 5.12, or part by part). Never waits for the disk. Not for creating.
  Opened open_cached(const std::string& path, int flags) const;

  bool is_componentwise() const noexcept { return is_componentwise_; }

 private:
  Opened open_by_kernel(const std::string& path, int flags, mode_t mode,
                        std::uint64_t resolve) const;
  Opened open_by_parts(std::string_view path, int flags, mode_t mode) const;

  FileDescriptor root_;
  bool is_componentwise_;
};

// "a/b" and "c" of "a/b/c".
struct ParentAndName {
  std::string_view parent;
  std::string_view name;
};
ParentAndName split_path(std::string_view path);

}  // namespace flowstore::files::localfs
