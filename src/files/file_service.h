// FileService: the rules of file storage.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/byte_source.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "base/turns.h"
#include "files/bounded_source.h"
#include "files/file_key.h"
#include "files/file_store.h"
#include "files/preconditions.h"
#include "files/usage_ledger.h"
#include "metrics/operation_time.h"
#include "metrics/registry.h"

namespace flowstore::files {

struct WriteOptions {
  WriteOptions() = default;

  WriteMode mode = WriteMode::replace;
  Preconditions conditions;
  std::optional<std::uint64_t> quota;     // bytes the project may not reach; absent: none
  std::optional<std::uint64_t> max_size;  // bytes of one file; absent: none
};

// Quotas, and who writes first. Knows no HTTP and no driver. Safe to use from any thread.
class FileService {
 public:
  // All must outlive the service.
  FileService(FileStore& store, UsageLedger& ledger, const Clock& clock,
              metrics::Registry& registry);

  // Takes the body in, then waits for the file's turn, checks conditions and quota and commits: a
  // slow client holds up nobody. over_quota, too_large and precondition_failed leave the file as
  // it was. The quota counts the difference to what the file holds: refused when
  // used - old + new >= quota, as the old server compares, unless the file becomes smaller. See
  // docs/compatibility.md#file-quota. A body that is hopelessly large is refused before it is read,
  // or, if its length is not announced, as soon as it is too long.
  Task<Result<WriteResult>> write(const FileKey& key, ByteSource& body,
                                  const WriteOptions& options);

  // The content may be read after the file has been replaced; it stays the old one.
  Task<Result<OpenFile>> read(const FileKey& key, Reading reading);
  // The same if nothing has to be waited for; nothing otherwise.
  std::optional<Result<OpenFile>> read_now(const FileKey& key);
  Task<Result<FileStat>> stat(const FileKey& key);

  // not_found, is_directory, precondition_failed.
  Task<Status> remove(const FileKey& key, const Preconditions& conditions);
  // Removes what is there when it gets to it; files written meanwhile may stay. not_found.
  Task<Status> remove_tree(const FileKey& folder);
  Task<Result<Listing>> list(const FileKey& folder, const ListOptions& options);

  // Bytes of the project; from the ledger where it knows them.
  Task<Result<std::uint64_t>> used(const ProjectKey& project);
  Task<Result<std::uint64_t>> used_by_team(std::string_view team);

  // True if the project ever stored a file under this team.
  Task<Result<bool>> has_files(const ProjectKey& project);

 private:
  using Until = std::chrono::steady_clock::time_point;

  Task<Result<WriteResult>> receive_and_commit(const FileKey& key, ByteSource& body,
                                               const WriteOptions& options);
  Task<Status> limit_body(const FileKey& key, BoundedSource& body, const WriteOptions& options);
  Task<Status> limit_to_quota(const FileKey& key, BoundedSource& body, const WriteOptions& options);
  Task<Result<std::unique_ptr<Upload>>> receive(const FileKey& key, ByteSource& body,
                                                WriteMode mode);
  Task<Result<WriteResult>> commit(const FileKey& key, Upload& upload, const WriteOptions& options);
  Task<Result<WriteResult>> commit_once(const FileKey& key, Upload& upload,
                                        const WriteOptions& options, Until until);
  Task<Result<WriteResult>> publish(Upload& upload, Expected expected);
  Task<Status> remove_once(const FileKey& key, const Preconditions& conditions, Until until);

  FileStore& store_;
  UsageLedger& ledger_;
  Turns turns_;
  metrics::OperationTime open_time_;
  metrics::OperationTime receive_time_;  // with the client's time
  metrics::OperationTime commit_time_;
  metrics::OperationTime remove_time_;
  metrics::OperationTime list_time_;
  metrics::Counter& quota_rejections_;
};

}  // namespace flowstore::files
