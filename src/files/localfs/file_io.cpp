// Blocks: writes and copies files.

#include "files/localfs/file_io.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "base/crash_point.h"

namespace flowstore::files::localfs {
namespace {

constexpr std::size_t kCopyBytes = 256 * 1024;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// Writes a number and the character behind it; returns where the next one goes.
char* put_hex(char* out, std::uint64_t number, char behind) {
  constexpr std::size_t kMostDigits = 16;
  out = std::to_chars(out, out + kMostDigits, number, 16).ptr;
  *out = behind;
  return out + 1;
}

std::string etag_of(const struct stat& status) {
  std::array<char, 1 + 3 * 17> text{};
  text[0] = '"';
  char* end = put_hex(text.data() + 1, static_cast<std::uint64_t>(status.st_ino), '-');
  end = put_hex(end, static_cast<std::uint64_t>(status.st_size), '-');
  end = put_hex(end, static_cast<std::uint64_t>(nanoseconds(status.st_mtim)), '"');
  return std::string(text.data(), end);
}

}  // namespace

FileStat describe(const struct stat& status) {
  FileStat stat;
  stat.size = static_cast<std::uint64_t>(status.st_size);
  stat.etag = etag_of(status);
  stat.modified = modified(status);
  return stat;
}

std::chrono::system_clock::time_point modified(const struct stat& status) {
  const std::chrono::nanoseconds since(nanoseconds(status.st_mtim));
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
}

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int stamp(int file) {
  std::array<timespec, 2> times{};
  times[0].tv_nsec = UTIME_OMIT;
  ::clock_gettime(CLOCK_REALTIME, &times[1]);
  return ::futimens(file, times.data()) == 0 ? 0 : errno;
}

void take_attributes(int file, const struct stat& other) {
  struct stat made {};
  if (::fstat(file, &made) != 0) return;
  if (made.st_uid != other.st_uid || made.st_gid != other.st_gid) {
    if (::fchown(file, other.st_uid, other.st_gid) != 0) return;
  }
  if ((made.st_mode & 07777) != (other.st_mode & 07777)) ::fchmod(file, other.st_mode & 07777);
}

int copy_all(int from, int to) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kCopyBytes);
  for (off_t offset = 0;;) {
    const ssize_t got = ::pread(from, buffer.get(), kCopyBytes, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (const int error =
            write_all(to, std::string_view(buffer.get(), static_cast<std::size_t>(got)))) {
      return error;
    }
    crash_point(CrashPoint::append_piece_written);
    offset += got;
  }
}

}  // namespace flowstore::files::localfs
