#include "files/localfs/wal_volume.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace flowstore::files::localfs {
namespace {

constexpr std::uint64_t kZfs = 0x2fc12fc1;  // which is in no header

}  // namespace

bool can_keep_a_log(int folder) {
  struct statfs known {};
  if (::fstatfs(folder, &known) != 0) return false;
  constexpr std::array<std::uint64_t, 6> kKinds = {EXT4_SUPER_MAGIC,      XFS_SUPER_MAGIC,
                                                   BTRFS_SUPER_MAGIC,     F2FS_SUPER_MAGIC,
                                                   OVERLAYFS_SUPER_MAGIC, kZfs};
  const auto kind = static_cast<std::uint64_t>(known.f_type);
  return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

int sync_log_names(int folder, int root) {
  const FileDescriptor above(::openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool is_synced =
      above && ::fsync(folder) == 0 && ::fsync(above.get()) == 0 && ::fsync(root) == 0;
  return is_synced ? 0 : errno;
}

}  // namespace flowstore::files::localfs
