#include "tools/new_file.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace flowstore::tools {
namespace {

Error cannot_write(const std::string& path, int error) {
  const std::string advice = error == EEXIST ? "; remove it, or choose another name" : "";
  return Error(ErrorKind::no_space, "file",
               path + ": " + std::generic_category().message(error) + advice);
}

}  // namespace

Result<NewFile> NewFile::make(const std::string& path) {
  if (::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    return cannot_write(path, EEXIST);
  }
  std::string own = path + ".part-" + std::to_string(::getpid());
  FileDescriptor file(::open(own.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return cannot_write(path, errno);
  return NewFile(path, std::move(own), std::move(file));
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      own_(std::exchange(other.own_, std::string())),
      file_(std::move(other.file_)) {}

NewFile::~NewFile() {
  if (!own_.empty()) ::unlink(own_.c_str());
}

Status NewFile::publish() {
  if (::fsync(file_.get()) != 0) return cannot_write(path_, errno);
  // Unlike a rename, a link takes nobody's place.
  if (::link(own_.c_str(), path_.c_str()) != 0) return cannot_write(path_, errno);
  ::unlink(std::exchange(own_, std::string()).c_str());
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const FileDescriptor parent(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent) ::fsync(parent.get());
  return {};
}

}  // namespace flowstore::tools
