#include "server/owned_folders.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace flowstore::server {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kMode = 0777;  // less the umask, as all folders
constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// The folder `name` in `parent`, just made and given away; none, and errno, where that fails.
// Whoever may write in `parent` can put something else in its place at any time: nothing is given
// away but a folder of our own.
FileDescriptor make_one(const FileDescriptor& parent, const fs::path& name,
                        const config::Account& owner) {
  if (::mkdirat(parent.get(), name.c_str(), kMode) != 0) return {};
  FileDescriptor made(::openat(parent.get(), name.c_str(), kFolder | O_NOFOLLOW));
  struct stat status {};
  if (!made || ::fstat(made.get(), &status) != 0) return {};
  const bool is_ours = status.st_uid == ::geteuid();
  if (is_ours && ::fchown(made.get(), owner.uid, owner.gid()) == 0) return made;
  if (!is_ours) errno = ELOOP;
  return {};
}

Error cannot_make(const fs::path& folder, const config::Account& owner, int error) {
  return Error(ErrorKind::unavailable, "ESTORE",
               "cannot make " + folder.string() + " for the user " + owner.user + ": " +
                   std::system_category().message(error) + "; make it and give it to that user");
}

}  // namespace

Status make_owned_folders(const fs::path& folder, const config::Account& owner) {
  fs::path there = folder;
  std::error_code ignored;
  while (there.has_relative_path() && !fs::exists(there, ignored)) there = there.parent_path();
  FileDescriptor parent(::open(there.c_str(), kFolder));
  if (!parent) return cannot_make(folder, owner, errno);
  if (there == folder) return {};
  for (const fs::path& name : folder.lexically_relative(there)) {
    FileDescriptor made = make_one(parent, name, owner);
    if (!made) return cannot_make(folder, owner, errno);
    // A power cut cannot take it away again, and with it what will be in it.
    if (::fsync(parent.get()) != 0) return cannot_make(folder, owner, errno);
    parent = std::move(made);
  }
  return {};
}

}  // namespace flowstore::server
