// Blocks: reads, writes and syncs.

#include "files/localfs/wal_files.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <vector>

#include <sys/statvfs.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "files/localfs/boot_id.h"

namespace flowstore::files::localfs {
namespace {

Error cannot_recover(int error) {
  return Error(ErrorKind::unavailable, "ESTORE",
               "driver.options.root: the changes in .flowstore/wal cannot be made (" +
                   std::generic_category().message(error) +
                   "); the disk must be writable and have room for them. Nothing is lost: start "
                   "again when it has");
}

constexpr std::size_t kFirstSegment = std::size_t{1} << 20U;
constexpr std::uint64_t kLengthening = 4;
constexpr std::uint64_t kLongestSegment = std::uint64_t{64} << 20U;
constexpr std::uint64_t kShareOfFree = 64;

constexpr std::uint64_t kAllFrames = std::numeric_limits<std::uint64_t>::max();

// The bytes that a segment may have: a 64th of what is free, within bounds. The longer, the rarer
// is a sync of the file system; but a small volume is not for logs.
std::uint64_t most_of_segment(int folder) {
  struct statvfs space {};
  if (::fstatvfs(folder, &space) != 0) return 0;
  const std::uint64_t share = std::uint64_t{space.f_bavail} * space.f_frsize / kShareOfFree;
  return std::min(share, kLongestSegment) / kWalBlock * kWalBlock;
}

struct Found {
  WalSegment* segment = nullptr;
  WalSegment::Head head;
  std::string bytes;
};

}  // namespace

WalFiles::WalFiles(Disk& disk, metrics::Registry& registry, std::function<void(int)> synced)
    : disk_(disk),
      synced_(std::move(synced)),
      checkpoints_(registry.counter("flowstore_storage_log_checkpoints_total",
                                    "Syncs of the file system that emptied a part of the log.")),
      boot_(boot_id()) {}

WalFiles::~WalFiles() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    work_ = Work::ending;
  }
  changed_.notify_all();
  thread_.join();
}

Result<RecoveredLog> WalFiles::recover(int folder) {
  RecoveredLog recovered;
  std::array<Found, 2> found;
  std::array<const char*, 2> names = {"0", "1"};
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i].segment = &segments_[i];
    if (const int error = segments_[i].open(folder, names[i])) return cannot_recover(error);
    found[i].head = segments_[i].head();
    next_epoch_ = std::max(next_epoch_, found[i].head.epoch + 1);
  }
  if (found[1].head.epoch < found[0].head.epoch) std::swap(found[0], found[1]);

  std::vector<WalRecord> records;
  std::size_t last_frame = 0;
  bool is_known = !boot_.empty();
  for (Found& one : found) {
    if (!one.head.is_sound) continue;
    const std::size_t before = records.size();
    const int error = one.segment->read(one.head.epoch, kAllFrames, one.bytes, records, last_frame);
    if (error != 0) return cannot_recover(error);
    if (records.size() > before) is_known = is_known && one.head.boot == boot_;
  }
  if (records.empty()) return recovered;

  int error = 0;
  if (is_known) {
    records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(last_frame));
    error = complete_appends(disk_, records, recovered);
  } else {
    error = replay(disk_, records, recovered);
  }
  if (error == 0) error = sync_and_start(*found[0].segment, disk_.logged_changes());
  if (error == 0) error = found[1].segment->start(next_epoch_++, boot_);
  if (error != 0) return cannot_recover(error);
  return recovered;
}

int WalFiles::fill() {
  int error = most_of_segment(disk_.root().root()) < kFirstSegment ? ENOSPC : 0;
  for (WalSegment& segment : segments_) {
    if (error == 0) error = segment.fill(kFirstSegment);
    if (error == 0) error = segment.start(next_epoch_++, boot_);
  }
  if (error != 0) {
    for (WalSegment& segment : segments_) segment.empty();
    return error;
  }
  // The segment has a head, and so has the frame.
  most_bytes_ = kFirstSegment - 2 * kWalBlock;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  return 0;
}

int WalFiles::make_room(std::size_t bytes) {
  return current().has_room(bytes) ? 0 : turn_over_because(Reason::full);
}

int WalFiles::turn_over_because(Reason reason) {
  if (const int error = wait_for_other()) return error;
  const std::lock_guard lock(mutex_);
  current_ = 1 - current_;
  work_ = Work::asked;
  reason_ = reason;
  changes_ = disk_.logged_changes();
  changed_.notify_all();
  return 0;
}

int WalFiles::settle() {
  int error = wait_for_other();
  if (error == 0 && !current().is_empty()) error = turn_over();
  return error != 0 ? error : wait_for_other();
}

int WalFiles::wait_for_other() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return work_ == Work::none; });
  return error_;
}

int WalFiles::failure() {
  const std::lock_guard lock(mutex_);
  return error_;
}

int WalFiles::distrust() {
  wait_for_other();
  int error = 0;
  for (WalSegment& segment : segments_) {
    const int failed = segment.set_boot(std::string());
    if (failed != 0) error = failed;
  }
  return error;
}

int WalFiles::heal(const std::function<bool(std::string_view path)>& is_newer) {
  // Where not even this can be written there is no use in more.
  if (const int error = distrust()) return error;
  const std::lock_guard lock(mutex_);
  std::array<std::string, 2> bytes;
  std::vector<WalRecord> records;
  std::size_t last_frame = 0;
  int error = 0;
  std::size_t segment = 1 - current_;  // the older one
  for (std::string& some : bytes) {
    const WalPlace next = segments_[segment].next();
    if (error == 0) {
      error = segments_[segment].read(next.epoch, next.index, some, records, last_frame);
    }
    segment = 1 - segment;
  }
  std::erase_if(records, [&](const WalRecord& record) { return is_newer(record.path); });
  RecoveredLog made;
  if (error == 0) error = replay(disk_, records, made);
  if (error == 0) error = sync_and_start(other(), disk_.logged_changes());
  if (error == 0) error = current().start(next_epoch_++, boot_);
  if (error != 0) return error;
  // Frames go to the older epoch first.
  current_ = 1 - current_;
  error_ = 0;
  return 0;
}

int WalFiles::sync_and_start(WalSegment& segment, std::uint64_t changes) {
  if (::syncfs(disk_.root().root()) != 0) return errno;
  disk_.settle(changes);
  checkpoints_.add();
  crash_point(CrashPoint::log_checkpointed);
  return segment.start(next_epoch_++, boot_);
}

// What it had no room for will come again. Failing is no harm: it stays as long as it was.
void WalFiles::lengthen(WalSegment& segment) {
  const std::uint64_t longer = segment.size() * kLengthening;
  segment.fill(std::min(longer, most_of_segment(disk_.root().root())));
}

void WalFiles::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return work_ != Work::none; });
    if (work_ == Work::ending) return;
    const std::uint64_t changes = changes_;
    const Reason reason = reason_;
    lock.unlock();
    const int error = sync_and_start(other(), changes);
    if (error == 0 && reason == Reason::full) lengthen(other());
    synced_(error);
    lock.lock();
    error_ = error;
    if (work_ == Work::asked) work_ = Work::none;
    changed_.notify_all();
  }
}

}  // namespace flowstore::files::localfs
