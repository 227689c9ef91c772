// Blocks: reads, writes and syncs.

#include "files/localfs/wal_segment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash_point.h"

namespace flowstore::files::localfs {
namespace {

constexpr std::uint64_t kHeadMark = 0x3130'4c41'5753'4c46;  // "FLSWAL01"
constexpr std::size_t kBootLength = 40;
constexpr std::size_t kFillPiece = std::size_t{1} << 20U;

// Fits into a sector, which disks write as a whole.
struct HeadBlock {
  std::uint64_t mark = kHeadMark;
  std::uint64_t epoch = 0;
  char boot[kBootLength] = {};
  std::uint32_t checksum = 0;  // of everything before it
  std::uint32_t reserved = 0;
};
constexpr std::size_t kChecked = offsetof(HeadBlock, checksum);

std::uint32_t checksum_of(const HeadBlock& head) {
  return wal_checksum(std::string_view(reinterpret_cast<const char*>(&head), kChecked));
}

// Reads until it is full or the file ends; the number of bytes, or -1 with errno.
ssize_t read_all_at(int file, char* into, std::size_t size, std::uint64_t offset) {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t some = ::pread(file, into + got, size - got, static_cast<off_t>(offset + got));
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) return -1;
    if (some == 0) break;
    got += static_cast<std::size_t>(some);
  }
  return static_cast<ssize_t>(got);
}

}  // namespace

int WalSegment::open(int folder, const std::string& name) {
  const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  file_ = FileDescriptor(::openat(folder, name.c_str(), flags, 0600));
  if (!file_) return errno;
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return ELOOP;
  size_ = static_cast<std::uint64_t>(status.st_size);
  return 0;
}

WalSegment::Head WalSegment::head() const {
  Head known;
  HeadBlock head;
  const ssize_t got = read_all_at(file_.get(), reinterpret_cast<char*>(&head), sizeof(head), 0);
  if (got != static_cast<ssize_t>(sizeof(head))) return known;
  if (head.mark != kHeadMark || head.checksum != checksum_of(head)) return known;
  known.is_sound = true;
  known.epoch = head.epoch;
  known.boot.assign(head.boot, ::strnlen(head.boot, kBootLength));
  return known;
}

int WalSegment::read(std::uint64_t epoch, std::uint64_t frames, std::string& bytes,
                     std::vector<WalRecord>& records, std::size_t& last_frame) const {
  if (size_ <= kWalBlock) return 0;
  bytes.resize(static_cast<std::size_t>(size_) - kWalBlock);
  const ssize_t got = read_all_at(file_.get(), bytes.data(), bytes.size(), kWalBlock);
  if (got < 0) return errno;
  std::string_view rest = std::string_view(bytes).substr(0, static_cast<std::size_t>(got));
  for (WalPlace place{epoch, 0}; place.index < frames; ++place.index) {
    const std::size_t first = records.size();
    const auto length = read_wal_frame(rest, place, records);
    if (!length) break;
    last_frame = first;
    rest.remove_prefix(std::min(*length, rest.size()));
  }
  return 0;
}

int WalSegment::fill(std::uint64_t size) {
  const std::string zeros(kFillPiece, '\0');
  while (size_ < size) {
    const std::size_t piece = std::min<std::uint64_t>(zeros.size(), size - size_);
    if (const int error = write_all_at(file_.get(), {zeros.data(), piece}, size_)) return error;
    size_ += piece;
  }
  return ::fsync(file_.get()) == 0 ? 0 : errno;
}

int WalSegment::empty() {
  if (::ftruncate(file_.get(), 0) != 0) return errno;
  size_ = 0;
  return 0;
}

int WalSegment::write_head(std::uint64_t epoch, const std::string& boot) {
  HeadBlock head;
  head.epoch = epoch;
  std::memcpy(head.boot, boot.data(), std::min(boot.size(), kBootLength));
  head.checksum = checksum_of(head);
  std::string block(reinterpret_cast<const char*>(&head), sizeof(head));
  block.resize(kWalBlock, '\0');
  if (const int error = write_all_at(file_.get(), block, 0)) return error;
  return ::fdatasync(file_.get()) == 0 ? 0 : errno;
}

int WalSegment::set_boot(const std::string& boot) { return write_head(epoch_, boot); }

int WalSegment::start(std::uint64_t epoch, const std::string& boot) {
  if (const int error = write_head(epoch, boot)) return error;
  epoch_ = epoch;
  index_ = 0;
  end_ = kWalBlock;
  return 0;
}

int WalSegment::add(std::string_view frame) {
  if (const int error = write_all_at(file_.get(), frame, end_)) return error;
  crash_point(CrashPoint::log_written);
  if (::fdatasync(file_.get()) != 0) return errno;
  crash_point(CrashPoint::log_synced);
  end_ += frame.size();
  ++index_;
  return 0;
}

}  // namespace flowstore::files::localfs
