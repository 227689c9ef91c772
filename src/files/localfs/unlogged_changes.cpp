// Blocks: waits for changes of files.

#include "files/localfs/unlogged_changes.h"

#include <cerrno>

#include <fcntl.h>

namespace flowstore::files::localfs {
namespace {

bool is_missing(const Beneath& root, std::string_view path) {
  const int error = root.open(path, O_PATH).error;
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

}  // namespace

UnloggedChanges::Change::Change(UnloggedChanges* all, const std::string& path)
    : all_(all), path_(path) {
  if (all_ == nullptr) return;
  std::unique_lock lock(all_->mutex_);
  all_->changed_.wait(lock, [this] { return !all_->is_paused_; });
  ++all_->under_way_;
}

UnloggedChanges::Change::~Change() {
  if (all_ == nullptr) return;
  {
    const std::lock_guard lock(all_->mutex_);
    --all_->under_way_;
  }
  all_->changed_.notify_all();
}

void UnloggedChanges::Change::was_made() {
  if (all_ == nullptr) return;
  const std::lock_guard lock(all_->mutex_);
  all_->paths_.insert(path_);
}

UnloggedChanges::Pause::Pause(UnloggedChanges& all) : all_(all) {
  std::unique_lock lock(all_.mutex_);
  // First, so that it is not put off for ever by ever new changes.
  all_.is_paused_ = true;
  all_.changed_.wait(lock, [this] { return all_.under_way_ == 0; });
}

UnloggedChanges::Pause::~Pause() {
  {
    const std::lock_guard lock(all_.mutex_);
    all_.is_paused_ = false;
  }
  all_.changed_.notify_all();
}

bool UnloggedChanges::has(const Beneath& root, std::string_view path) const {
  const std::lock_guard lock(mutex_);
  if (paths_.find(path) != paths_.end()) return true;
  for (std::size_t slash = path.find('/'); slash < path.size(); slash = path.find('/', slash + 1)) {
    if (paths_.find(path.substr(0, slash + 1)) != paths_.end()) return is_missing(root, path);
  }
  return false;
}

void UnloggedChanges::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  paths_.erase(path);
}

void UnloggedChanges::forget_all() {
  const std::lock_guard lock(mutex_);
  paths_.clear();
}

}  // namespace flowstore::files::localfs
