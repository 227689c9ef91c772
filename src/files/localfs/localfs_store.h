// The localfs driver: files in a folder of the server, laid out as the old server does.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "files/file_store.h"
#include "files/localfs/disk.h"
#include "files/localfs/file_versions.h"
#include "files/localfs/trouble.h"
#include "files/localfs/wal.h"
#include "metrics/registry.h"

namespace flowstore::files::localfs {

struct Options {
  Options() = default;

  std::string root;  // made if it is missing
  Durability durability = Durability::strict;
  Resolution resolution = Resolution::automatic;
  // Whether strict writes go by way of a write-ahead log where the file system allows one.
  bool keeps_log = true;
};

// <root>/<team>/<project>/<path>. The folder <root>/.flowstore is the driver's own; a team of that
// name is refused. Symbolic links below the root are not followed. Reads that need no disk run
// where they are asked for, all else on the pool. See docs/storage.md.
class Store final : public FileStore {
 public:
  // Fails with one sentence that says what to do. All references must outlive the store.
  static Result<std::unique_ptr<Store>> make(const Options& options, BlockingPool& io,
                                             const Clock& clock, Log& log,
                                             metrics::Registry& registry);

  std::string_view name() const override { return "localfs"; }
  Task<Result<std::unique_ptr<Upload>>> receive(const FileKey& key, ByteSource& body,
                                                WriteMode mode) override;
  Task<Result<FileStat>> stat(const FileKey& key) override;
  Task<Result<OpenFile>> open(const FileKey& key, Reading reading) override;
  std::optional<Result<OpenFile>> open_cached(const FileKey& key) override;
  Task<Result<std::uint64_t>> remove(const FileKey& key, Expected expected) override;
  Task<Result<RemovedTree>> remove_tree(const FileKey& folder) override;
  Task<Result<Listing>> list(const FileKey& folder, const ListOptions& options) override;
  Task<Result<std::uint64_t>> usage(const ProjectKey& project) override;
  Task<Result<std::vector<ProjectKey>>> projects(std::string_view team) override;
  Task<Result<std::vector<std::string>>> teams() override;
  Task<Status> probe() override;
  void stop() override;
  const OutageLog* outage() const override { return wal_ ? &wal_->outage() : nullptr; }

 private:
  Store(Disk disk, BlockingPool& io, const Clock& clock, Log& log)
      : disk_(std::move(disk)), io_(io), trouble_(log, clock) {}

  // Opens a regular file and says what it is; without waiting for the disk, or else on the pool.
  Task<Result<Opened>> open_file(const FileKey& key, int flags, struct stat& status);
  // The same for what was opened, or was not.
  Result<Opened> examine(const FileKey& key, Opened opened, struct stat& status);
  Task<Result<Content>> content_of(const FileKey& key, FileDescriptor file, std::uint64_t size);
  // Whether what was read since `version` is of one version; waits while the file is changing.
  Task<bool> has_stayed(const FileKey& key, FileVersions::Version version);
  Task<bool> is_there(const FileKey& key);
  // None without a log.
  UnloggedChanges* unlogged() const { return wal_ ? &wal_->unlogged() : nullptr; }

  Disk disk_;
  BlockingPool& io_;
  Trouble trouble_;
  FileVersions versions_;
  std::unique_ptr<WriteAheadLog> wal_;  // none, or the file system can keep none
};

}  // namespace flowstore::files::localfs
