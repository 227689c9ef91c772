// Blocks: makes and removes folders and files.

#include "files/localfs/temp_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <optional>
#include <random>
#include <system_error>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace flowstore::files::localfs {
namespace {

constexpr const char* kLockName = "lock";
constexpr std::string_view kRecordPrefix = "append-";

// A folder without a lock is of a process that is just starting, or died while it did.
constexpr std::time_t kStartingSeconds = 60;
// Where the file system knows no locks, only the age of a file tells.
constexpr std::time_t kForgottenSeconds = 24 * 3600;

Error cannot_make(const std::string& folder) {
  const std::string reason = std::generic_category().message(errno);
  return Error(ErrorKind::unavailable, "ESTORE",
               "driver.options.root: cannot make " + folder + ": " + reason +
                   "; let the user that runs flowstore write there");
}

FileDescriptor open_folder(int at, const char* name) {
  return FileDescriptor(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

FileDescriptor make_folder(int at, const char* name) {
  if (::mkdirat(at, name, 0777) != 0 && errno != EEXIST) return FileDescriptor();
  return open_folder(at, name);
}

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  FileDescriptor copy(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy.get()), &::closedir);
  if (!entries) return names;
  copy.release();  // closedir() closes it
  while (const dirent* const entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

// Seconds since something was last changed; nothing if it is not there.
std::optional<std::time_t> age_of(int folder, const char* name) {
  struct stat status {};
  if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return std::time(nullptr) - status.st_mtime;
}

enum class Owner : std::uint8_t { lives, gone, unknown };

// The folder of some process. With `gone` its lock is ours, so that no other start takes it for one
// that it may look at.
struct Stranger {
  std::string name;
  FileDescriptor folder;
  FileDescriptor lock;
  Owner owner = Owner::lives;
};

// Takes the lock of a folder if nobody holds it.
Owner find_owner(int folder, FileDescriptor& lock) {
  lock = FileDescriptor(::openat(folder, kLockName, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!lock) return age_of(folder, ".").value_or(0) > kStartingSeconds ? Owner::gone : Owner::lives;
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return Owner::gone;
  return errno == EWOULDBLOCK ? Owner::lives : Owner::unknown;
}

std::vector<Stranger> strangers_in(int parent) {
  std::vector<Stranger> strangers;
  for (std::string& name : names_in(parent)) {
    Stranger one;
    one.folder = open_folder(parent, name.c_str());
    if (!one.folder) continue;
    one.owner = find_owner(one.folder.get(), one.lock);
    one.name = std::move(name);
    strangers.push_back(std::move(one));
  }
  return strangers;
}

void remove_all(int parent, const std::string& name, int folder) {
  for (const std::string& file : names_in(folder)) ::unlinkat(folder, file.c_str(), 0);
  ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
}

// The folder and its lock stay: their process may live and go on using them.
void remove_forgotten(int folder) {
  for (const std::string& file : names_in(folder)) {
    const bool is_old = age_of(folder, file.c_str()).value_or(0) > kForgottenSeconds;
    if (is_old && file != kLockName) ::unlinkat(folder, file.c_str(), 0);
  }
}

// Somebody died here: a folder that it had made may be there without having been synced, and we
// would take it for one that a power cut cannot undo. An old error of the disk is nothing that a
// start should fail with.
void sync_what_the_dead_left(int folder) { ::syncfs(folder); }

void clean_up(int parent, const LookAtDead& look_at_dead) {
  const std::vector<Stranger> strangers = strangers_in(parent);
  const auto has = [&strangers](Owner owner) {
    return std::any_of(strangers.begin(), strangers.end(),
                       [owner](const Stranger& one) { return one.owner == owner; });
  };
  const Company company = has(Owner::lives) || has(Owner::unknown) ? Company::some : Company::none;
  for (const Stranger& one : strangers) {
    if (one.owner == Owner::gone && look_at_dead) look_at_dead(one.folder.get(), company);
  }
  if (has(Owner::gone)) sync_what_the_dead_left(parent);
  for (const Stranger& one : strangers) {
    if (one.owner == Owner::gone) remove_all(parent, one.name, one.folder.get());
    if (one.owner == Owner::unknown) remove_forgotten(one.folder.get());
  }
}

std::string unique_name() {
  std::random_device random;
  return std::to_string(::getpid()) + "-" + std::to_string(random());
}

// The lock of a new folder; nothing if another start took the folder for an abandoned one between
// our making the lock and taking it.
std::optional<FileDescriptor> take_lock(int folder) {
  FileDescriptor lock(::openat(folder, kLockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!lock) return std::nullopt;
  // A file system without locks goes without.
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return std::nullopt;
  struct stat status {};
  if (::fstat(lock.get(), &status) != 0 || status.st_nlink == 0) return std::nullopt;
  return lock;
}

}  // namespace

TempFile::TempFile(TempFile&& other) noexcept
    : folder_(other.folder_), name_(std::move(other.name_)), file_(std::move(other.file_)) {
  other.name_.clear();
}

TempFile& TempFile::operator=(TempFile&& other) noexcept {
  if (this != &other) {
    remove();
    folder_ = other.folder_;
    name_ = std::move(other.name_);
    other.name_.clear();
    file_ = std::move(other.file_);
  }
  return *this;
}

TempFile::~TempFile() { remove(); }

void TempFile::remove() noexcept {
  if (!name_.empty()) ::unlinkat(folder_, name_.c_str(), 0);
}

bool is_record_name(std::string_view name) {
  return name.substr(0, kRecordPrefix.size()) == kRecordPrefix;
}

Result<TempFolder> TempFolder::make(int root, const std::string& root_name,
                                    const LookAtDead& look_at_dead) {
  const std::string own_name(kOwnFolder);
  const FileDescriptor own = make_folder(root, own_name.c_str());
  if (!own) return cannot_make(root_name + "/" + own_name);
  FileDescriptor parent = make_folder(own.get(), "tmp");
  if (!parent) return cannot_make(root_name + "/" + own_name + "/tmp");
  // Held until it is closed.
  const FileDescriptor turn = open_folder(own.get(), "tmp");
  ::flock(turn.get(), LOCK_EX);
  clean_up(parent.get(), look_at_dead);
  // Lost only to a start at the same moment; see take_lock().
  for (int tried = 0; tried < 10; ++tried) {
    std::string name = unique_name();
    FileDescriptor folder = make_folder(parent.get(), name.c_str());
    if (!folder) continue;
    auto lock = take_lock(folder.get());
    if (!lock) continue;
    return TempFolder(std::move(parent), std::move(name), std::move(folder), *std::move(lock));
  }
  return cannot_make("a folder in " + root_name + "/" + own_name + "/tmp");
}

TempFolder::TempFolder(TempFolder&& other) noexcept
    : parent_(std::move(other.parent_)),
      name_(std::move(other.name_)),
      folder_(std::move(other.folder_)),
      lock_(std::move(other.lock_)),
      next_(other.next_.load()) {
  other.name_.clear();
}

TempFolder::~TempFolder() {
  if (name_.empty()) return;
  ::unlinkat(folder_.get(), kLockName, 0);
  ::unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR);
}

TempFile TempFolder::create(int& error) {
  return create_here(std::to_string(next_.fetch_add(1)), error);
}

TempFile TempFolder::create_record(int& error) {
  return create_here(std::string(kRecordPrefix) + std::to_string(next_.fetch_add(1)), error);
}

TempFile TempFolder::create_here(std::string name, int& error) {
  TempFile file = create_as(folder_.get(), std::move(name), error);
  // ENOENT would tell a client that its own file is missing.
  if (error == ENOENT) error = ESTALE;
  return file;
}

TempFile TempFolder::create_in(int folder, int& error) {
  return create_as(folder, ".flowstore-" + name_ + "-" + std::to_string(next_.fetch_add(1)), error);
}

TempFile TempFolder::create_as(int folder, std::string name, int& error) {
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  FileDescriptor file(::openat(folder, name.c_str(), flags, 0666));
  error = file ? 0 : errno;
  if (!file) return TempFile();
  return TempFile(folder, std::move(name), std::move(file));
}

}  // namespace flowstore::files::localfs
