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
#include "files/localfs/append_recovery.h"
#include "files/localfs/file_io.h"
#include "files/localfs/incoming.h"
#include "files/localfs/listing.h"
#include "files/localfs/tree.h"

namespace flowstore::files::localfs {
namespace {

// What mkfs leaves in the root of a volume, for nobody to read.
constexpr std::string_view kLostAndFound = "lost+found";

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

// The errno of opening what is no regular file; a device or a FIFO is treated as a link is.
int error_of_type(const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return S_ISREG(status.st_mode) ? 0 : ELOOP;
}

// Opening it says that no client has stored anything there: there is no such folder, or there can
// be none of such a name.
bool holds_nothing(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG ||
         error == EILSEQ;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::make(const Options& options, BlockingPool& io,
                                           const Clock& clock, Log& log,
                                           metrics::Registry& registry) {
  const bool is_strict = options.durability == Durability::strict;
  const std::error_code error =
      make_new_folders(options.root, is_strict ? Names::synced : Names::not_synced);
  if (error) return cannot_open_root(options.root, error.value());
  FileDescriptor root(::open(options.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return cannot_open_root(options.root, errno);
  Beneath beneath(std::move(root), options.resolution);
  const auto look_at_dead = [&](int folder, Company company) {
    complete_torn_appends(beneath, folder, company, log);
  };
  FLOWSTORE_TRY(auto temp, TempFolder::make(beneath.root(), options.root, look_at_dead));
  Disk disk(std::move(beneath), std::move(temp), options.durability);
  std::unique_ptr<Store> store(new Store(std::move(disk), io, clock, log));
  if (is_strict && options.keeps_log) {
    FLOWSTORE_TRY(store->wal_,
                  WriteAheadLog::open(store->disk_, store->versions_, clock, log, registry));
  }
  return store;
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
  if (error == 0) error = disk_.stat(opened.file.get(), status);
  if (error == 0) error = error_of_type(status);
  if (error == EISDIR) return is_a_directory("read");
  if (error != 0) return trouble_.translate(error, key, "open");
  return opened;
}

Task<Result<std::unique_ptr<Upload>>> Store::receive(const FileKey& key, ByteSource& body,
                                                     WriteMode mode) {
  FLOWSTORE_CO_TRY_STATUS(check_team(key.project().team()));
  auto incoming = std::make_unique<localfs::Incoming>(disk_, wal_.get(), io_, trouble_, key, mode);
  const Status taken = co_await incoming->take_in(body);
  if (!taken) {
    co_await incoming->discard();
    co_return taken.error();
  }
  co_return std::unique_ptr<Upload>(std::move(incoming));
}

Task<Result<FileStat>> Store::stat(const FileKey& key) {
  while (true) {
    const auto version = versions_.of(key.path());
    struct stat status {};
    FLOWSTORE_CO_TRY_STATUS(co_await open_file(key, O_PATH, status));
    const bool is_whole = co_await has_stayed(key, version);
    if (is_whole) co_return describe(status);
  }
}

Task<Result<OpenFile>> Store::open(const FileKey& key, Reading /*reading*/) {
  while (true) {
    const auto version = versions_.of(key.path());
    struct stat status {};
    FLOWSTORE_CO_TRY(auto opened, co_await open_file(key, kReading, status));
    OpenFile file;
    file.stat = describe(status);
    FLOWSTORE_CO_TRY(file.content,
                     co_await content_of(key, std::move(opened.file), file.stat.size));
    const bool is_whole = co_await has_stayed(key, version);
    if (is_whole && file.content.size() == file.stat.size) co_return file;
  }
}

// As open() goes about it, once; where that is not enough, open() does it again.
std::optional<Result<OpenFile>> Store::open_cached(const FileKey& key) {
  FLOWSTORE_TRY_STATUS(check_team(key.project().team()));
  const auto version = versions_.of(key.path());
  if (FileVersions::is_changing(version)) return std::nullopt;
  Opened cached = disk_.root().open_cached(key.path(), kReading);
  if (cached.error == EAGAIN) return std::nullopt;
  struct stat status {};
  FLOWSTORE_TRY(auto opened, examine(key, std::move(cached), status));
  OpenFile file;
  file.stat = describe(status);
  if (file.stat.size > kMostInPlace) {
    file.content = Content(Content::File(std::move(opened.file), file.stat.size));
  } else {
    std::string bytes;
    if (read_cached(opened.file.get(), file.stat.size, bytes) != 0) return std::nullopt;
    file.content = Content(std::move(bytes));
  }
  const bool has_stayed = versions_.of(key.path()) == version;
  if (!has_stayed || file.content.size() != file.stat.size) return std::nullopt;
  return file;
}

// What may be rewritten in place is read at once.
Task<Result<Content>> Store::content_of(const FileKey& key, FileDescriptor file,
                                        std::uint64_t size) {
  if (size > kMostInPlace) co_return Content(Content::File(std::move(file), size));
  std::string bytes;
  int error = read_cached(file.get(), size, bytes);
  if (error == EAGAIN) {
    auto work = [&] { return read_whole(file.get(), size, bytes); };
    error = co_await io_.run(work);
  }
  if (error != 0) co_return trouble_.translate(error, key, "read");
  co_return Content(std::move(bytes));
}

Task<bool> Store::has_stayed(const FileKey& key, FileVersions::Version version) {
  if (FileVersions::is_changing(version)) {
    auto work = [&] { return versions_.wait(key.path()), 0; };
    co_await io_.run(work);
    co_return false;
  }
  co_return versions_.of(key.path()) == version;
}

// Only what is there is worth a place in the log.
Task<bool> Store::is_there(const FileKey& key) {
  Opened opened = disk_.root().open_cached(key.path(), O_PATH);
  if (opened.error == EAGAIN) {
    auto work = [this, &key] { return disk_.root().open(key.path(), O_PATH); };
    opened = co_await io_.run(work);
  }
  co_return opened.error == 0;
}

Task<Result<std::uint64_t>> Store::remove(const FileKey& key, Expected /*expected*/) {
  FLOWSTORE_CO_TRY_STATUS(check_team(key.project().team()));
  if (key.relative().empty()) co_return is_a_directory(key, "unlink");
  if (wal_) {
    LoggedChange change(WalOperation::remove, key.path(), std::string_view());
    bool is_made = co_await is_there(key);
    if (is_made) is_made = co_await wal_->make(change);
    if (is_made && change.error != 0) co_return trouble_.translate(change.error, key, "unlink");
    if (is_made) co_return change.removed_bytes;
  }
  auto work = [this, &key] {
    UnloggedChanges::Change change(unlogged(), key.path());
    auto made = disk_.remove(key.path());
    if (made.value) change.was_made();
    return made;
  };
  auto removed = co_await io_.run(work);
  if (wal_ && removed.value) removed.error = co_await wal_->forget(key.path());
  if (removed.error != 0) co_return trouble_.translate(removed.error, key, "unlink");
  co_return *removed.value;
}

Task<Result<RemovedTree>> Store::remove_tree(const FileKey& folder) {
  FLOWSTORE_CO_TRY_STATUS(check_team(folder.project().team()));
  const bool is_project = folder.relative().empty();
  const std::string everything = folder.path() + '/';
  RemovedTree removed;
  auto work = [&] {
    UnloggedChanges::Change change(unlogged(), everything);
    const Top top = is_project ? Top::keep : Top::remove;
    const int failed = localfs::remove_tree(disk_, folder.path(), top, removed);
    if (failed == 0) change.was_made();
    return failed;
  };
  int error = co_await io_.run(work);
  if (error == ENOENT && is_project) co_return removed;
  // What the log has of these files, or of one that was written meanwhile, would bring them back.
  if (error == 0 && wal_) error = co_await wal_->settle(everything);
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
  if (error != 0 && !holds_nothing(error)) {
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
  if (holds_nothing(error)) co_return projects;
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

Task<Result<std::vector<std::string>>> Store::teams() {
  std::vector<std::string> teams;
  std::vector<Found> found;
  auto work = [&] {
    const Opened folder = disk_.root().open(".", O_RDONLY | O_DIRECTORY);
    return folder.error != 0 ? folder.error : read_folder(folder.file.get(), found);
  };
  const int error = co_await io_.run(work);
  if (error != 0) co_return trouble_.translate(error, ".", "scandir");
  for (Found& one : found) {
    const bool is_team = one.is_folder && check_team(one.name) && one.name != kLostAndFound;
    if (is_team) teams.push_back(std::move(one.name));
  }
  std::sort(teams.begin(), teams.end());
  co_return teams;
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

void Store::stop() {
  if (wal_) wal_->stop();
}

}  // namespace flowstore::files::localfs
