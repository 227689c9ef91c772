#include "files/file_service.h"

#include <algorithm>
#include <utility>

#include "base/crash_point.h"
#include "files/bounded_source.h"
#include "files/file_errors.h"

namespace flowstore::files {
namespace {

constexpr metrics::OperationFamily kTimes = {"flowstore_storage_operation_duration_seconds",
                                             "Time that operations on the file store take."};

// Of a change that others were faster than. Each costs a few round trips to the store, so that all
// of them take about as long as a client waits.
constexpr int kMostTries = 10;

// Of a change, from when the body is there and the file's turn has come, with all that it needs one
// after the other: below the 2.5 s in which a client wants to know.
constexpr std::chrono::milliseconds kPatience{2300};

// What the project grows by when a body of this size is written.
std::int64_t growth_of(WriteMode mode, std::uint64_t size, const std::optional<FileStat>& old) {
  const auto grown = static_cast<std::int64_t>(size);
  if (mode == WriteMode::append || !old) return grown;
  return grown - static_cast<std::int64_t>(old->size);
}

}  // namespace

FileService::FileService(FileStore& store, UsageLedger& ledger, const Clock& clock,
                         metrics::Registry& registry)
    : store_(store),
      ledger_(ledger),
      open_time_(kTimes, store.name(), "open", clock, registry),
      receive_time_(kTimes, store.name(), "receive", clock, registry),
      commit_time_(kTimes, store.name(), "commit", clock, registry),
      remove_time_(kTimes, store.name(), "remove", clock, registry),
      list_time_(kTimes, store.name(), "list", clock, registry),
      quota_rejections_(registry.counter("flowstore_quota_rejections_total",
                                         "Writes refused because of a file quota.")) {}

Task<Result<WriteResult>> FileService::write(const FileKey& key, ByteSource& body,
                                             const WriteOptions& options) {
  if (key.names_folder()) co_return is_a_directory(key, "open");
  auto written = co_await receive_and_commit(key, body, options);
  if (!written && written.error().kind() == ErrorKind::over_quota) quota_rejections_.add();
  co_return written;
}

Task<Result<WriteResult>> FileService::receive_and_commit(const FileKey& key, ByteSource& body,
                                                          const WriteOptions& options) {
  BoundedSource bounded(body);
  FLOWSTORE_CO_TRY_STATUS(co_await limit_body(key, bounded, options));
  FLOWSTORE_CO_TRY(const auto upload, co_await receive(key, bounded, options.mode));
  co_return co_await commit(key, *upload, options);
}

// Keeps out what is hopeless.
Task<Status> FileService::limit_body(const FileKey& key, BoundedSource& body,
                                     const WriteOptions& options) {
  const auto size = body.size();
  if (options.max_size) {
    const Error error = Error::too_large(*options.max_size);
    if (size && *size > *options.max_size) co_return error;
    body.bound(*options.max_size, error);
  }
  if (options.quota) co_return co_await limit_to_quota(key, body, options);
  co_return Status();
}

// The quota is judged only roughly here: others may write or delete while the body comes, so the
// exact check is made with the commit. What is replaced is asked for only if it matters.
Task<Status> FileService::limit_to_quota(const FileKey& key, BoundedSource& body,
                                         const WriteOptions& options) {
  const std::uint64_t quota = *options.quota;
  FLOWSTORE_CO_TRY(const std::uint64_t used, co_await ledger_.used(key.project()));
  // The size from which on a body would be refused.
  std::uint64_t limit = quota - std::min(used, quota);
  const auto size = body.size();
  if (size && *size < limit) co_return Status();
  if (options.mode == WriteMode::replace) {
    FLOWSTORE_CO_TRY(const auto old, co_await store_.find(key));
    if (old) limit += old->size;
  }
  const Error error = Error::over_quota(quota);
  if (limit == 0 || (size && *size >= limit)) co_return error;
  body.bound(limit - 1, error);
  co_return Status();
}

Task<Result<std::unique_ptr<Upload>>> FileService::receive(const FileKey& key, ByteSource& body,
                                                           WriteMode mode) {
  const auto measured = receive_time_.measure();
  co_return co_await store_.receive(key, body, mode);
}

// Another process may change the file between the look at it and the change: then both are made
// again.
Task<Result<WriteResult>> FileService::commit(const FileKey& key, Upload& upload,
                                              const WriteOptions& options) {
  const bool is_joined =
      options.mode == WriteMode::append && options.conditions.empty() && store_.joins_appends();
  std::optional<Turn> turn;
  if (!is_joined) turn.emplace(co_await turns_.take(key.path()));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (int left = kMostTries - 1;; --left) {
    auto written = co_await commit_once(key, upload, options, until);
    const bool is_passed = !written && written.error().kind() == ErrorKind::conflict;
    if (!is_passed || left == 0) co_return written;
  }
}

Task<Result<WriteResult>> FileService::commit_once(const FileKey& key, Upload& upload,
                                                   const WriteOptions& options, Until until) {
  const bool needs_size = options.quota && options.mode == WriteMode::replace;
  std::optional<FileStat> old;
  Expected expected;
  if (needs_size || !options.conditions.empty()) {
    FLOWSTORE_CO_TRY(old, co_await store_.find(key));
    FLOWSTORE_CO_TRY_STATUS(evaluate_write(options.conditions, old));
    expected = Expected(old);
  }
  expected.until = until;
  // A replace is as long as its body, which has been looked at.
  if (options.mode == WriteMode::append) expected.most = options.max_size;
  const std::int64_t growth = growth_of(options.mode, upload.size(), old);
  FLOWSTORE_CO_TRY(auto change, co_await ledger_.announce(key.project(), growth, options.quota));
  crash_point(CrashPoint::growth_announced);
  auto written = co_await publish(upload, std::move(expected));
  if (!written) {
    if (written.error().kind() == ErrorKind::unavailable) co_await change->doubt();
    co_return std::move(written).error();
  }
  crash_point(CrashPoint::growth_unsettled);
  if (!written->replaced_bytes) {
    co_await change->doubt();
    co_return written;
  }
  const auto now = static_cast<std::int64_t>(written->stat.size);
  co_await change->commit(now - static_cast<std::int64_t>(*written->replaced_bytes));
  co_return written;
}

Task<Result<WriteResult>> FileService::publish(Upload& upload, Expected expected) {
  const auto measured = commit_time_.measure();
  co_return co_await upload.commit(std::move(expected));
}

Task<Result<OpenFile>> FileService::read(const FileKey& key, Reading reading) {
  const auto measured = open_time_.measure();
  auto file = co_await store_.open(key, reading);
  // "file/" asks for a folder of that name.
  if (file && key.names_folder()) co_return not_a_directory(key, "open");
  co_return file;
}

std::optional<Result<OpenFile>> FileService::read_now(const FileKey& key) {
  auto measured = open_time_.measure();
  auto file = store_.open_cached(key);
  if (!file) measured.forget();
  if (file && *file && key.names_folder()) return not_a_directory(key, "open");
  return file;
}

Task<Result<FileStat>> FileService::stat(const FileKey& key) {
  auto stat = co_await store_.stat(key);
  if (stat && key.names_folder()) co_return not_a_directory(key, "open");
  co_return stat;
}

Task<Status> FileService::remove(const FileKey& key, const Preconditions& conditions) {
  if (key.names_folder()) {
    const auto file = co_await store_.stat(key);
    if (file) co_return not_a_directory(key, "unlink");
  }
  const Turn turn = co_await turns_.take(key.path());
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (int left = kMostTries - 1;; --left) {
    Status removed = co_await remove_once(key, conditions, until);
    const bool is_passed = !removed && removed.error().kind() == ErrorKind::conflict;
    if (!is_passed || left == 0) co_return removed;
  }
}

Task<Status> FileService::remove_once(const FileKey& key, const Preconditions& conditions,
                                      Until until) {
  Expected expected;
  if (!conditions.empty()) {
    FLOWSTORE_CO_TRY(const auto old, co_await store_.find(key));
    FLOWSTORE_CO_TRY_STATUS(evaluate_write(conditions, old));
    expected = Expected(old);
  }
  expected.until = until;
  FLOWSTORE_CO_TRY(auto change, co_await ledger_.announce(key.project(), 0, std::nullopt));
  const auto measured = remove_time_.measure();
  const auto removed = co_await store_.remove(key, std::move(expected));
  if (!removed) {
    if (removed.error().kind() == ErrorKind::unavailable) co_await change->doubt();
    co_return removed.error();
  }
  co_await change->commit(-static_cast<std::int64_t>(*removed));
  co_return Status();
}

Task<Status> FileService::remove_tree(const FileKey& folder) {
  FLOWSTORE_CO_TRY(auto change, co_await ledger_.announce(folder.project(), 0, std::nullopt));
  const auto measured = remove_time_.measure();
  const auto removed = co_await store_.remove_tree(folder);
  if (!removed) {
    co_await change->doubt();
    co_return removed.error();
  }
  co_await change->commit(-static_cast<std::int64_t>(removed->bytes));
  co_return Status();
}

Task<Result<Listing>> FileService::list(const FileKey& folder, const ListOptions& options) {
  const auto measured = list_time_.measure();
  co_return co_await store_.list(folder, options);
}

Task<Result<std::uint64_t>> FileService::used(const ProjectKey& project) {
  co_return co_await ledger_.used(project);
}

Task<Result<std::uint64_t>> FileService::used_by_team(std::string_view team) {
  FLOWSTORE_CO_TRY(const auto projects, co_await store_.projects(team));
  std::uint64_t total = 0;
  for (const ProjectKey& project : projects) {
    FLOWSTORE_CO_TRY(const std::uint64_t used, co_await ledger_.used(project));
    total += used;
  }
  co_return total;
}

Task<Result<bool>> FileService::has_files(const ProjectKey& project) {
  FLOWSTORE_CO_TRY(const auto projects, co_await store_.projects(project.team()));
  co_return std::find(projects.begin(), projects.end(), project) != projects.end();
}

}  // namespace flowstore::files
