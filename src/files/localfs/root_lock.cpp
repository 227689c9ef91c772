// Blocks: locks and lists files.

#include "files/localfs/root_lock.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace flowstore::files::localfs {
namespace {

constexpr std::chrono::milliseconds kLook{5};

// 0, EAGAIN if another process is in the way, or what else is wrong.
int lock(int file, short kind) {
  struct flock range {};
  range.l_type = kind;
  range.l_whence = SEEK_SET;
  range.l_len = 1;
  if (::fcntl(file, F_OFD_SETLK, &range) == 0) return 0;
  return errno == EACCES ? EAGAIN : errno;
}

// A file in `guests` for as long as it lives; locked, so that one of a dead process is known.
class Guest {
 public:
  explicit Guest(int guests)
      : guests_(guests),
        name_(std::to_string(::getpid()) + "-" + std::to_string(std::random_device()())),
        file_(::openat(guests, name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    is_locked_ = file_ && ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0;
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() { ::unlinkat(guests_, name_.c_str(), 0); }

  // False if somebody looked between the making of the file and its lock, and took us for dead.
  bool is_known() const {
    struct stat status {};
    return is_locked_ && ::fstat(file_.get(), &status) == 0 && status.st_nlink > 0;
  }

 private:
  int guests_;
  std::string name_;
  FileDescriptor file_;
  bool is_locked_ = false;
};

// False for one whose process is gone, which is forgotten.
bool still_waits(int guests, const char* name) {
  const FileDescriptor file(::openat(guests, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno != ENOENT;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return true;
  ::unlinkat(guests, name, 0);
  return false;
}

}  // namespace

int RootLock::take(int folder, std::chrono::milliseconds patience) {
  if (::mkdirat(folder, "guests", 0777) != 0 && errno != EEXIST) return errno;
  guests_ =
      FileDescriptor(::openat(folder, "guests", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!guests_) return errno;
  lock_ = FileDescriptor(::openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!lock_) return errno;
  const int error = lock(lock_.get(), F_WRLCK);
  if (error == 0) hold_ = Hold::alone;
  return error == EAGAIN ? wait_for_share(patience) : 0;
}

int RootLock::wait_for_share(std::chrono::milliseconds patience) {
  std::optional<Guest> guest;
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    if (!guest || !guest->is_known()) guest.emplace(guests_.get());
    const int error = lock(lock_.get(), F_RDLCK);
    if (error == 0) hold_ = Hold::shared;
    if (error != EAGAIN) return error;
    if (std::chrono::steady_clock::now() > end) return ETIMEDOUT;
    std::this_thread::sleep_for(kLook);
  }
}

bool RootLock::try_alone() {
  if (hold_ == Hold::shared && lock(lock_.get(), F_WRLCK) == 0) hold_ = Hold::alone;
  return hold_ == Hold::alone;
}

void RootLock::share() {
  if (hold_ == Hold::alone && lock(lock_.get(), F_RDLCK) == 0) hold_ = Hold::shared;
}

bool RootLock::has_guests() const {
  FileDescriptor copy(::openat(guests_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy.get()), &::closedir);
  if (!entries) return false;
  copy.release();  // closedir() closes it
  while (const dirent* const entry = ::readdir(entries.get())) {
    if (entry->d_name[0] != '.' && still_waits(guests_.get(), entry->d_name)) return true;
  }
  return false;
}

}  // namespace flowstore::files::localfs
