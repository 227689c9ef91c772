// Blocks: reads and changes files.

#include "files/localfs/wal_recovery.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace flowstore::files::localfs {
namespace {

constexpr int kFlags = O_RDWR | O_NONBLOCK | O_NOCTTY;

// A file that was changed so much later than the log says was changed by something that knows no
// log, such as the old server after a kill of this one. Our own change is later by what a slow disk
// takes.
constexpr std::int64_t kLater = std::int64_t{60} * 1'000'000'000;

// What of a log is worth making again.
class Plan {
 public:
  explicit Plan(const std::vector<WalRecord>& records) {
    for (const WalRecord& record : records) {
      if (record.operation == WalOperation::forget) forgotten_[record.path] = record.sequence;
      if (record.operation == WalOperation::cancel) cancelled_.insert(record.position);
    }
    for (const WalRecord& record : records) {
      if (!was_made(record)) continue;
      Span& span = spans_[record.path];
      if (record.operation != WalOperation::append) span.first = record.sequence;
      span.last = record.sequence;
      span.modified = record.modified;
    }
  }

  // False for what was superseded, too: readers shall not see it again.
  bool has(const WalRecord& record) const {
    return was_made(record) && record.sequence >= spans_.at(record.path).first;
  }
  bool is_last_of_path(const WalRecord& record) const {
    return record.sequence == spans_.at(record.path).last;
  }
  // When the last change of the record's path was made.
  ModifiedTime last_modified(const WalRecord& record) const {
    return spans_.at(record.path).modified;
  }

 private:
  struct Span {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    ModifiedTime modified;  // by the last one
  };

  bool was_made(const WalRecord& record) const {
    const bool is_change = record.operation == WalOperation::replace ||
                           record.operation == WalOperation::append ||
                           record.operation == WalOperation::remove;
    if (!is_change) return false;
    const auto forgotten = forgotten_.find(record.path);
    return cancelled_.count(record.sequence) == 0 &&
           (forgotten == forgotten_.end() || forgotten->second < record.sequence);
  }

  std::unordered_map<std::string_view, std::uint64_t> forgotten_;
  std::unordered_set<std::uint64_t> cancelled_;
  std::unordered_map<std::string_view, Span> spans_;
};

// The errno of what no longer fits to the tree, because somebody else has changed that.
bool is_of_the_tree(int error) {
  return error == EISDIR || error == ELOOP || error == ENOTDIR || error == ENOENT ||
         error == ENXIO || error == EXDEV;
}

bool is_changed_later(const Disk& disk, std::string_view path, ModifiedTime last) {
  const Opened opened = disk.root().open(path, O_PATH);
  struct stat status {};
  if (opened.error != 0 || ::fstat(opened.file.get(), &status) != 0) return false;
  const std::int64_t modified =
      std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return S_ISREG(status.st_mode) && modified > last.nanoseconds + kLater;
}

enum class Length : std::uint8_t { cut, kept };

// With Length::cut nothing stays behind the bytes.
int append_again(const Disk& disk, const WalRecord& record, Length length) {
  const Opened opened = disk.root().open(record.path, kFlags);
  if (opened.error != 0) return opened.error;
  const int file = opened.file.get();
  struct stat status {};
  if (::fstat(file, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return ELOOP;
  if (static_cast<std::uint64_t>(status.st_size) < record.position) return ENXIO;
  if (const int error = write_all_at(file, record.bytes, record.position)) return error;
  const auto end = static_cast<off_t>(record.position + record.bytes.size());
  if (length == Length::cut && ::ftruncate(file, end) != 0) return errno;
  return stamp(file, record.modified);
}

int make_again(Disk& disk, const WalRecord& record, const Plan& plan) {
  const std::string path(record.path);
  switch (record.operation) {
    case WalOperation::replace:
      return disk.replace(path, record.bytes, record.modified).error;
    case WalOperation::append:
      return append_again(disk, record, plan.is_last_of_path(record) ? Length::cut : Length::kept);
    case WalOperation::remove: {
      const int error = disk.remove(path).error;
      return error == ENOENT ? 0 : error;
    }
    case WalOperation::settle:
    case WalOperation::forget:
    case WalOperation::cancel:
      break;
  }
  return 0;
}

// If a part of the append and nothing else is there, writes the rest; where there is no room for
// that, takes the part away. 0, or errno if a part stays.
int complete(const Disk& disk, const WalRecord& record, RecoveredLog& recovered) {
  const Opened opened = disk.root().open(record.path, kFlags);
  // One that somebody has closed to us since is not ours any more.
  const bool is_foreign = is_of_the_tree(opened.error) || opened.error == EACCES;
  if (opened.error != 0) return is_foreign ? 0 : opened.error;
  const int file = opened.file.get();
  struct stat status {};
  if (::fstat(file, &status) != 0) return errno;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const bool is_part = S_ISREG(status.st_mode) && size > record.position &&
                       size < record.position + record.bytes.size();
  if (!is_part) return 0;
  std::string there(static_cast<std::size_t>(size - record.position), '\0');
  const auto position = static_cast<off_t>(record.position);
  const ssize_t got = ::pread(file, there.data(), there.size(), position);
  if (got < 0) return errno;
  if (got != static_cast<ssize_t>(there.size())) return 0;
  if (record.bytes.substr(0, there.size()) != there) return 0;
  if (write_all_at(file, record.bytes.substr(there.size()), size) == 0) return 0;
  ++recovered.taken_back;
  return ::ftruncate(file, position) == 0 ? 0 : errno;
}

}  // namespace

int replay(Disk& disk, const std::vector<WalRecord>& records, RecoveredLog& recovered) {
  const Plan plan(records);
  for (const WalRecord& record : records) {
    if (!plan.has(record)) continue;
    int error = ESTALE;
    const bool is_ours = !is_changed_later(disk, record.path, plan.last_modified(record));
    if (is_ours) error = make_again(disk, record, plan);
    if (error != 0 && error != ESTALE && !is_of_the_tree(error)) return error;
    ++(error == 0 ? recovered.changes : recovered.skipped);
  }
  return 0;
}

int complete_appends(const Disk& disk, const std::vector<WalRecord>& last_frame,
                     RecoveredLog& recovered) {
  for (const WalRecord& record : last_frame) {
    if (record.operation != WalOperation::append) continue;
    if (const int error = complete(disk, record, recovered)) return error;
  }
  return 0;
}

}  // namespace flowstore::files::localfs
