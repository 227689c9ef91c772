// The memory driver: files that live as long as the process.

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "files/file_store.h"

namespace flowstore::files::memory {

// Keeps files in a map, sorted by key; folders are implied by the keys below them. For tests and
// for the `memory` driver of the configuration. All files together hold at most a fixed number of
// bytes, bodies on their way in included; beyond it no_space.
class Store final : public FileStore {
 public:
  // The clock must outlive the store.
  Store(std::uint64_t max_bytes, const Clock& clock) : max_bytes_(max_bytes), clock_(clock) {}

  std::string_view name() const override { return "memory"; }
  Task<Result<std::unique_ptr<Upload>>> receive(const FileKey& key, ByteSource& body,
                                                WriteMode mode) override;
  Task<Result<FileStat>> stat(const FileKey& key) override;
  Task<Result<OpenFile>> open(const FileKey& key, Reading reading) override;
  Task<Result<std::uint64_t>> remove(const FileKey& key, Expected expected) override;
  Task<Result<RemovedTree>> remove_tree(const FileKey& folder) override;
  Task<Result<Listing>> list(const FileKey& folder, const ListOptions& options) override;
  Task<Result<std::uint64_t>> usage(const ProjectKey& project) override;
  Task<Result<std::vector<ProjectKey>>> projects(std::string_view team) override;
  Task<Result<std::vector<std::string>>> teams() override;
  Task<Status> probe() override;

 private:
  class Incoming;

  struct File {
    std::shared_ptr<const std::string> bytes;  // replaced, never changed: readers keep theirs
    FileStat stat;
  };
  using Files = std::map<std::string, File, std::less<>>;

  // mutex_ is held by the caller of these five.
  Result<Files::iterator> look_up(const FileKey& key, std::string_view operation);
  Status check_place(const FileKey& key) const;
  bool is_below_a_file(const FileKey& key) const;
  bool is_folder(std::string_view path) const;
  // Why what has nothing below it cannot be listed.
  Error no_folder(const FileKey& folder) const;

  Result<WriteResult> commit(const FileKey& key, std::string body, WriteMode mode,
                             const Expected& expected);

  bool reserve(std::uint64_t bytes) noexcept;
  void release(std::uint64_t bytes) noexcept { bytes_ -= bytes; }

  const std::uint64_t max_bytes_;
  const Clock& clock_;
  std::atomic<std::uint64_t> bytes_{0};  // stored and on their way in
  std::mutex mutex_;
  Files files_;  // guarded by mutex_
  // "team/project" of all that ever stored a file; guarded by mutex_. As with folders of localfs,
  // a project goes on being known when its last file is gone.
  std::set<std::string, std::less<>> projects_;
  std::uint64_t versions_ = 0;  // guarded by mutex_; each write gets its own, for the entity tag
};

}  // namespace flowstore::files::memory
