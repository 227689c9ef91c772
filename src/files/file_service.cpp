#include "files/file_service.h"

#include <algorithm>
#include <utility>

#include "files/bounded_source.h"
#include "files/file_errors.h"

namespace flowstore::files {
namespace {

// What the project grows by when a body of this size is written.
std::int64_t growth_of(WriteMode mode, std::uint64_t size, const std::optional<FileStat>& old) {
  const auto grown = static_cast<std::int64_t>(size);
  if (mode == WriteMode::append || !old) return grown;
  return grown - static_cast<std::int64_t>(old->size);
}

}  // namespace

FileService::FileService(FileStore& store, UsageLedger& ledger, const Clock& clock,
                         metrics::Registry& registry)
    : store_(store), ledger_(ledger), times_(store.name(), clock, registry) {}

Task<Result<WriteResult>> FileService::write(const FileKey& key, ByteSource& body,
                                             const WriteOptions& options) {
  if (key.names_folder()) co_return is_a_directory(key, "open");
  BoundedSource bounded(body);
  FLOWSTORE_CO_TRY_STATUS(co_await check_early(key, bounded, options));
  if (options.max_size) bounded.bound(*options.max_size, Error::too_large(*options.max_size));
  // A project can never hold its whole quota in one file, so a body without a length may bring no
  // more than that before it is refused. The exact check comes with the commit.
  if (options.quota) bounded.bound(*options.quota, Error::over_quota(*options.quota));

  auto received = co_await receive(key, bounded);
  if (!received) co_return std::move(received).error();
  co_return co_await commit(key, **received, options);
}

Task<Result<std::unique_ptr<Upload>>> FileService::receive(const FileKey& key, ByteSource& body) {
  const auto measured = times_.receive();
  co_return co_await store_.receive(key, body);
}

// Refuses what is hopeless before its body is read. Only an announced length can be judged, and
// only roughly: others may write meanwhile.
Task<Status> FileService::check_early(const FileKey& key, const ByteSource& body,
                                      const WriteOptions& options) {
  const auto size = body.size();
  if (!size) co_return Status();
  if (options.max_size && *size > *options.max_size) co_return Error::too_large(*options.max_size);
  if (!options.quota) co_return Status();
  FLOWSTORE_CO_TRY(const auto old, co_await stat_if_any(key));
  const std::int64_t growth = growth_of(options.mode, *size, old);
  // Announced and dropped again: asks the question and keeps no room.
  FLOWSTORE_CO_TRY_STATUS(co_await ledger_.announce(key.project(), growth, options.quota));
  co_return Status();
}

Task<Result<WriteResult>> FileService::commit(const FileKey& key, Upload& upload,
                                              const WriteOptions& options) {
  const Turn turn = co_await turns_.take(key.path());
  std::optional<FileStat> old;
  if (options.quota || !options.conditions.empty()) {
    FLOWSTORE_CO_TRY(old, co_await stat_if_any(key));
    FLOWSTORE_CO_TRY_STATUS(evaluate_write(options.conditions, old));
  }
  const std::int64_t growth = growth_of(options.mode, upload.size(), old);
  FLOWSTORE_CO_TRY(auto change, co_await ledger_.announce(key.project(), growth, options.quota));

  const auto measured = times_.commit();
  auto publish = options.mode == WriteMode::append ? upload.append() : upload.replace();
  auto written = co_await std::move(publish);
  if (!written) co_return std::move(written).error();
  const auto now = static_cast<std::int64_t>(written->stat.size);
  change.commit(now - static_cast<std::int64_t>(written->replaced_bytes));
  co_return written;
}

Task<Result<std::optional<FileStat>>> FileService::stat_if_any(const FileKey& key) {
  auto stat = co_await store_.stat(key);
  if (stat) co_return std::optional<FileStat>(*std::move(stat));
  if (stat.error().kind() == ErrorKind::not_found) co_return std::optional<FileStat>();
  co_return std::move(stat).error();
}

Task<Result<OpenFile>> FileService::read(const FileKey& key) {
  const auto measured = times_.open();
  auto file = co_await store_.open(key);
  // "file/" asks for a folder of that name.
  if (file && key.names_folder()) co_return not_a_directory(key, "open");
  co_return file;
}

Task<Result<FileStat>> FileService::stat(const FileKey& key) {
  co_return co_await store_.stat(key);
}

Task<Status> FileService::remove(const FileKey& key, const Preconditions& conditions) {
  const Turn turn = co_await turns_.take(key.path());
  if (!conditions.empty()) {
    FLOWSTORE_CO_TRY(const auto old, co_await stat_if_any(key));
    FLOWSTORE_CO_TRY_STATUS(evaluate_write(conditions, old));
  }
  FLOWSTORE_CO_TRY(auto change, co_await ledger_.announce(key.project(), 0, std::nullopt));
  const auto measured = times_.remove();
  const auto removed = co_await store_.remove(key);
  if (!removed) co_return removed.error();
  change.commit(-static_cast<std::int64_t>(*removed));
  co_return Status();
}

Task<Status> FileService::remove_tree(const FileKey& folder) {
  FLOWSTORE_CO_TRY(auto change, co_await ledger_.announce(folder.project(), 0, std::nullopt));
  const auto measured = times_.remove();
  const auto removed = co_await store_.remove_tree(folder);
  if (!removed) co_return removed.error();
  change.commit(-static_cast<std::int64_t>(removed->bytes));
  co_return Status();
}

Task<Result<Listing>> FileService::list(const FileKey& folder, const ListOptions& options) {
  const auto measured = times_.list();
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
