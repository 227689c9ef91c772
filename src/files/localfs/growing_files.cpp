#include "files/localfs/growing_files.h"

#include <cerrno>

namespace flowstore::files::localfs {

int GrowingFiles::stat(int file, struct stat& status) const {
  const std::uint64_t begun = begun_.load();
  if (ended_.load() == begun) {
    if (::fstat(file, &status) != 0) return errno;
    if (begun_.load() == begun) return 0;
  }
  // No append begins or ends while the mutex is held.
  const std::lock_guard lock(mutex_);
  if (::fstat(file, &status) != 0) return errno;
  const auto growing = before_.find({status.st_dev, status.st_ino});
  if (growing != before_.end()) status = growing->second;
  return 0;
}

GrowingFiles::Growth::Growth(GrowingFiles& files, const struct stat& old)
    : files_(files), file_(old.st_dev, old.st_ino) {
  const std::lock_guard lock(files_.mutex_);
  files_.before_.emplace(file_, old);
  ++files_.begun_;
}

GrowingFiles::Growth::~Growth() {
  const std::lock_guard lock(files_.mutex_);
  files_.before_.erase(file_);
  ++files_.ended_;
}

}  // namespace flowstore::files::localfs
