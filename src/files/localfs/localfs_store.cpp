#include "files/localfs/localfs_store.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/new_folder.h"
#include "files/file_errors.h"
#include "files/localfs/file_io.h"
#include "files/localfs/incoming.h"
#include "files/localfs/listing.h"
#include "files/localfs/tree.h"

namespace flowstore::files::localfs {
namespace {

// The driver's own folder is no team, and no request gets that far.
Status check_team(std::string_view team) {
  if (team == kOwnFolder || !is_valid_id(team))
    return Error(ErrorKind::invalid, "ENOTDIR", "Invalid Path");
  return {};
}

Error cannot_open_root(const std::string& root, int error) {
  return Error(ErrorKind::unavailable, "ESTORE",
               "driver.options.root " + root + ": " + std::generic_category().message(error) +
                   "; make the folder, or let the user that runs flowstore write there");
}

// O_NONBLOCK: opening a FIFO must not wait for its writer.
constexpr int kReading = O_RDONLY | O_NONBLOCK | O_NOCTTY;

OpenFile content_of(Opened opened, const struct stat& status) {
  OpenFile file;
  file.stat = describe(status);
  file.content = Content(Content::File(std::move(opened.file), file.stat.size));
  return file;
}

// The errno of opening what is no regular file; a device or a FIFO is treated as a link is.
int error_of_type(const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return S_ISREG(status.st_mode) ? 0 : ELOOP;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::make(const Options& options, BlockingPool& io,
                                           const Clock& clock, Log& log) {
  const bool is_strict = options.durability == Durability::strict;
  const std::error_code error =
      make_new_folders(options.root, is_strict ? Names::synced : Names::not_synced);
  if (error) return cannot_open_root(options.root, error.value());
  FileDescriptor root(::open(options.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return cannot_open_root(options.root, errno);
  FLOWSTORE_TRY(auto temp, TempFolder::make(root.get(), options.root));
  Disk disk(Beneath(std::move(root), options.resolution), std::move(temp), options.durability);
  return std::unique_ptr<Store>(new Store(std::move(disk), io, clock, log));
}

Task<Result<Opened>> Store::open_file(const FileKey& key, int flags, struct stat& status) {
  FLOWSTORE_CO_TRY_STATUS(check_team(key.project().team()));
  Opened opened = disk_.root().open_cached(key.path(), flags);
  if (opened.error == EAGAIN) {
    auto work = [this, &key, flags] { return disk_.root().open(key.path(), flags); };
    opened = co_await io_.run(work);
  }
  co_return examine(key, std::move(opened), status);
}

Result<Opened> Store::examine(const FileKey& key, Opened opened, struct stat& status) {
  int error = opened.error;
  if (error == 0 && ::fstat(opened.file.get(), &status) != 0) error = errno;
  if (error == 0) error = error_of_type(status);
  if (error == EISDIR) return is_a_directory("read");
  if (error != 0) return trouble_.translate(error, key, "open");
  return opened;
}

Task<Result<std::unique_ptr<Upload>>> Store::receive(const FileKey& key, ByteSource& body,
                                                     WriteMode mode) {
  FLOWSTORE_CO_TRY_STATUS(check_team(key.project().team()));
  auto incoming = std::make_unique<localfs::Incoming>(disk_, io_, trouble_, key, mode);
  const Status taken = co_await incoming->take_in(body);
  if (!taken) {
    co_await incoming->discard();
    co_return taken.error();
  }
  co_return std::unique_ptr<Upload>(std::move(incoming));
}

Task<Result<FileStat>> Store::stat(const FileKey& key) {
  struct stat status {};
  FLOWSTORE_CO_TRY_STATUS(co_await open_file(key, O_PATH, status));
  co_return describe(status);
}

Task<Result<OpenFile>> Store::open(const FileKey& key, Reading /*reading*/) {
  struct stat status {};
  FLOWSTORE_CO_TRY(auto opened, co_await open_file(key, kReading, status));
  co_return content_of(std::move(opened), status);
}

std::optional<Result<OpenFile>> Store::open_cached(const FileKey& key) {
  FLOWSTORE_TRY_STATUS(check_team(key.project().team()));
  Opened cached = disk_.root().open_cached(key.path(), kReading);
  if (cached.error == EAGAIN) return std::nullopt;
  struct stat status {};
  FLOWSTORE_TRY(auto opened, examine(key, std::move(cached), status));
  return content_of(std::move(opened), status);
}

Task<Result<std::uint64_t>> Store::remove(const FileKey& key, Expected /*expected*/) {
  FLOWSTORE_CO_TRY_STATUS(check_team(key.project().team()));
  if (key.relative().empty()) co_return is_a_directory(key, "unlink");
  auto work = [this, &key] { return disk_.remove(key.path()); };
  const auto removed = co_await io_.run(work);
  if (!removed.value) co_return trouble_.translate(removed.error, key, "unlink");
  co_return *removed.value;
}

Task<Result<RemovedTree>> Store::remove_tree(const FileKey& folder) {
  FLOWSTORE_CO_TRY_STATUS(check_team(folder.project().team()));
  const bool is_project = folder.relative().empty();
  RemovedTree removed;
  auto work = [&] {
    const Top top = is_project ? Top::keep : Top::remove;
    return localfs::remove_tree(disk_, folder.path(), top, removed);
  };
  const int error = co_await io_.run(work);
  if (error == ENOENT && is_project) co_return removed;
  if (error != 0) co_return trouble_.translate(error, folder, "scandir");
  co_return removed;
}

Task<Result<Listing>> Store::list(const FileKey& folder, const ListOptions& options) {
  FLOWSTORE_CO_TRY_STATUS(check_team(folder.project().team()));
  Listing listing;
  auto work = [&] { return list_folder(disk_.root(), folder.path(), options, listing); };
  const int error = co_await io_.run(work);
  if (error == ENOENT && folder.relative().empty()) co_return listing;
  if (error != 0) co_return trouble_.translate(error, folder, "scandir");
  co_return listing;
}

Task<Result<std::uint64_t>> Store::usage(const ProjectKey& project) {
  FLOWSTORE_CO_TRY_STATUS(check_team(project.team()));
  std::uint64_t total = 0;
  const Visit add = [&total](const std::string&, const struct stat& status) {
    total += static_cast<std::uint64_t>(status.st_size);
  };
  auto work = [&] { return walk(disk_.root(), project.path(), add); };
  const int error = co_await io_.run(work);
  // A project that is no folder has stored nothing.
  if (error != 0 && error != ENOENT && error != ENOTDIR && error != ELOOP) {
    co_return trouble_.translate(error, project.path(), "scandir");
  }
  co_return total;
}

Task<Result<std::vector<ProjectKey>>> Store::projects(std::string_view team) {
  std::vector<ProjectKey> projects;
  FLOWSTORE_CO_TRY_STATUS(check_team(team));
  std::vector<Found> found;
  auto work = [&] {
    const Opened folder = disk_.root().open(team, O_RDONLY | O_DIRECTORY);
    return folder.error != 0 ? folder.error : read_folder(folder.file.get(), found);
  };
  const int error = co_await io_.run(work);
  if (error == ENOENT || error == ENOTDIR || error == ELOOP) co_return projects;
  if (error != 0) co_return trouble_.translate(error, team, "scandir");
  for (const Found& one : found) {
    if (!one.is_folder) continue;
    // What no client could have named is none of ours.
    auto key = ProjectKey::parse(team, one.name);
    if (key) projects.push_back(*std::move(key));
  }
  std::sort(projects.begin(), projects.end(),
            [](const ProjectKey& a, const ProjectKey& b) { return a.project() < b.project(); });
  co_return projects;
}

// A whole block: some file systems keep a few bytes beside a file's name, where they cost no space.
// No look at statvfs: only a write knows of quotas and of space that is kept for root.
Task<Status> Store::probe() {
  const std::string block(4096, 'p');
  auto work = [this, &block] {
    int error = 0;
    const TempFile file = disk_.temp().create(error);
    if (error == 0) error = write_all(file.file(), block);
    if (error == 0 && ::fdatasync(file.file()) != 0) error = errno;
    return error;
  };
  const int error = co_await io_.run(work);
  if (error != 0) co_return trouble_.translate(error, kOwnFolder, "write");
  co_return Status();
}

}  // namespace flowstore::files::localfs
