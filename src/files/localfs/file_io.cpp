// Blocks: writes and copies files.

#include "files/localfs/file_io.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <limits>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/crash_point.h"

namespace flowstore::files::localfs {
namespace {

constexpr std::size_t kCopyBytes = 256 * 1024;

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * kSecond + time.tv_nsec;
}

std::chrono::system_clock::time_point as_time_point(std::int64_t since_1970) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(since_1970)));
}

int read(int file, std::uint64_t size, std::string& bytes, int flags) {
  bytes.resize(static_cast<std::size_t>(size));
  std::size_t got = 0;
  while (got < bytes.size()) {
    const iovec into{bytes.data() + got, bytes.size() - got};
    const ssize_t some = ::preadv2(file, &into, 1, static_cast<off_t>(got), flags);
    if (some < 0 && errno == EINTR) continue;
    // Not every file system knows how not to wait.
    if (some < 0) return errno == EOPNOTSUPP ? EAGAIN : errno;
    if (some == 0) break;
    got += static_cast<std::size_t>(some);
  }
  bytes.resize(got);
  return 0;
}

// Reads kCopyBytes at most, behind what is done of the part: how many, or -1 with errno.
ssize_t read_piece(const Part& part, std::uint64_t done, char* into) {
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(part.size - done, kCopyBytes));
  while (true) {
    const ssize_t got = ::pread(part.file, into, most, static_cast<off_t>(part.at + done));
    if (got >= 0 || errno != EINTR) return got;
  }
}

// Writes a number and the character behind it; returns where the next one goes.
char* put_hex(char* out, std::uint64_t number, char behind) {
  constexpr std::size_t kMostDigits = 16;
  out = std::to_chars(out, out + kMostDigits, number, 16).ptr;
  *out = behind;
  return out + 1;
}

std::string etag_of(ino_t inode, std::uint64_t size, ModifiedTime modified) {
  std::array<char, 1 + 3 * 17> text{};
  text[0] = '"';
  char* end = put_hex(text.data() + 1, static_cast<std::uint64_t>(inode), '-');
  end = put_hex(end, size, '-');
  end = put_hex(end, static_cast<std::uint64_t>(modified.nanoseconds), '"');
  return std::string(text.data(), end);
}

}  // namespace

FileStat describe(const struct stat& status) {
  return describe(status, static_cast<std::uint64_t>(status.st_size),
                  ModifiedTime{nanoseconds(status.st_mtim)});
}

FileStat describe(const struct stat& status, std::uint64_t size, ModifiedTime modified) {
  FileStat stat;
  stat.size = size;
  stat.etag = etag_of(status.st_ino, size, modified);
  stat.modified = as_time_point(modified.nanoseconds);
  return stat;
}

std::chrono::system_clock::time_point modified(const struct stat& status) {
  return as_time_point(nanoseconds(status.st_mtim));
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

int write_all_at(int file, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return 0;
}

ModifiedTime ModifiedTime::now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return ModifiedTime{localfs::nanoseconds(time)};
}

int read_cached(int file, std::uint64_t size, std::string& bytes) {
  return read(file, size, bytes, RWF_NOWAIT);
}

int read_whole(int file, std::uint64_t size, std::string& bytes) {
  return read(file, size, bytes, 0);
}

int stamp(int file, ModifiedTime time) {
  std::array<timespec, 2> times{};
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = static_cast<time_t>(time.nanoseconds / kSecond);
  times[1].tv_nsec = static_cast<long>(time.nanoseconds % kSecond);
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
  return copy_part(Part{from, 0, std::numeric_limits<std::uint64_t>::max()}, to);
}

int copy_part(const Part& from, int to) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kCopyBytes);
  for (std::uint64_t done = 0; done < from.size;) {
    const ssize_t got = read_piece(from, done, buffer.get());
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (const int error =
            write_all(to, std::string_view(buffer.get(), static_cast<std::size_t>(got)))) {
      return error;
    }
    crash_point(CrashPoint::append_piece_written);
    done += static_cast<std::uint64_t>(got);
  }
  return 0;
}

bool is_equal(const Part& one, const Part& other) {
  if (one.size != other.size) return false;
  const auto first = std::make_unique_for_overwrite<char[]>(kCopyBytes);
  const auto second = std::make_unique_for_overwrite<char[]>(kCopyBytes);
  for (std::uint64_t done = 0; done < one.size;) {
    const ssize_t got = read_piece(one, done, first.get());
    if (got <= 0 || read_piece(other, done, second.get()) < got) return false;
    if (std::memcmp(first.get(), second.get(), static_cast<std::size_t>(got)) != 0) return false;
    done += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace flowstore::files::localfs
