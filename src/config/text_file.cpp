#include "config/text_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace flowstore::config {
namespace {

Error error_of(int number) {
  if (number == ENOENT || number == ENOTDIR) {
    return Error(ErrorKind::not_found, "ENOENT", "no such file");
  }
  if (number == EISDIR) return Error(ErrorKind::invalid, "EISDIR", "it is a folder");
  if (number == EACCES) {
    return Error(ErrorKind::invalid, "EACCES", "no permission to read it");
  }
  return Error(ErrorKind::invalid, "", std::strerror(number));
}

Result<std::string> read_all(const FileDescriptor& file, std::size_t limit) {
  std::string content;
  char buffer[16 * 1024];
  while (content.size() <= limit) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n == 0) break;
    if (n < 0 && errno != EINTR) return error_of(errno);
    if (n > 0) content.append(buffer, static_cast<std::size_t>(n));
  }
  if (content.size() > limit) content.resize(limit + 1);
  return content;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return error_of(errno);
  return read_all(file, limit);
}

Result<std::string> read_regular_file(const std::string& path, std::size_t limit) {
  // Without O_NONBLOCK, opening a pipe waits for its writer.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return error_of(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return error_of(errno);
  if (!S_ISREG(status.st_mode)) return Error(ErrorKind::invalid, "", "it is no regular file");
  FLOWSTORE_TRY(auto content, read_all(file, limit));
  if (content.size() > limit) return Error(ErrorKind::invalid, "", "it is too large");
  return content;
}

}  // namespace flowstore::config
