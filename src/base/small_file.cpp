#include "base/small_file.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace flowstore {
namespace {

// Ten times the certificates of a system; whoever names a device by mistake gets no further.
constexpr std::size_t kMostBytes = 4U << 20;

}  // namespace

// By system calls: a stream's iterator throws when it meets a folder.
std::optional<std::string> read_small_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 16384> bytes;
  while (text.size() <= kMostBytes) {
    const ssize_t got = ::read(file.get(), bytes.data(), bytes.size());
    if (got == 0) return text;
    if (got < 0 && errno != EINTR) return std::nullopt;
    if (got > 0) text.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return std::nullopt;
}

}  // namespace flowstore
