// The memory driver: files that live as long as the process.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "files/file_store.h"

namespace flowstore::files::memory {

// Keeps files in a map, sorted by key, and the folders that they have made. For tests and for the
// `memory` driver of the configuration. All files together hold at most a fixed number of
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
  // Sorted by name and not by key: "a" comes before "a.b", but "a/x" behind it.
  using Entries = std::map<std::string, Entry, std::less<>>;
  // "team/project", "team/project/dir": when something was put there or removed.
  using Folders = std::map<std::string, std::chrono::system_clock::time_point, std::less<>>;

  // mutex_ is held by the caller of these eight.
  Result<Files::iterator> look_up(const FileKey& key, std::string_view operation);
  Status check_place(const FileKey& key) const;
  bool is_below_a_file(const FileKey& key) const;
  bool is_folder(std::string_view path) const;
  Entries entries_of(const FileKey& folder, const ListOptions& options) const;
  // Why what is no folder cannot be listed.
  Error no_folder(const FileKey& folder) const;
  void make_folders(const FileKey& key);
  // Of something in a folder that there is.
  void note_change_at(std::string_view path);

  Result<WriteResult> commit(const FileKey& key, std::string body, WriteMode mode,
                             const Expected& expected);

  bool reserve(std::uint64_t bytes) noexcept;
  void release(std::uint64_t bytes) noexcept { bytes_ -= bytes; }

  const std::uint64_t max_bytes_;
  const Clock& clock_;
  std::atomic<std::uint64_t> bytes_{0};  // stored and on their way in
  std::mutex mutex_;
  Files files_;      // guarded by mutex_
  Folders folders_;  // guarded by mutex_; as with localfs, they stay when their last file is gone
  std::uint64_t versions_ = 0;  // guarded by mutex_; each write gets its own, for the entity tag
};

}  // namespace flowstore::files::memory
