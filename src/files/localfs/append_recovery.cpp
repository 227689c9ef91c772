// Blocks: reads and writes files.

#include "files/localfs/append_recovery.h"

#include <cstdint>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/localfs/append_records.h"
#include "files/localfs/file_io.h"
#include "files/localfs/tree.h"

namespace flowstore::files::localfs {
namespace {

constexpr int kFlags = O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY;

// A file that was changed so much later than its append began was changed by something else: a
// minute, and a second for each MiB.
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLater = 60 * kSecond;
constexpr std::uint64_t kSlowest = std::uint64_t{1} << 20U;

bool is_changed_later(const UnfinishedAppend& append, const struct stat& now) {
  const std::int64_t modified = std::int64_t{now.st_mtim.tv_sec} * kSecond + now.st_mtim.tv_nsec;
  const auto longest = static_cast<std::int64_t>(append.size / kSlowest) * kSecond;
  return modified > append.begun.nanoseconds + kLater + longest;
}

// Whether it is that file, and has a part of the append. Another name of it may be a backup or lie
// in another project, and keeps its content.
bool has_part(const UnfinishedAppend& append, const struct stat& now) {
  const auto size = static_cast<std::uint64_t>(now.st_size);
  return S_ISREG(now.st_mode) && now.st_nlink == 1 && now.st_dev == append.device &&
         now.st_ino == append.inode && size > append.position &&
         size - append.position < append.size && !is_changed_later(append, now);
}

// How much of the append stands behind the old end of the file, if that is its very beginning and
// nothing else; 0 if not.
std::uint64_t torn_bytes(int file, const UnfinishedAppend& append) {
  struct stat now {};
  if (::fstat(file, &now) != 0 || !has_part(append, now)) return 0;
  const std::uint64_t there = static_cast<std::uint64_t>(now.st_size) - append.position;
  const bool is_beginning =
      is_equal(Part{append.body.get(), append.body_at, there}, Part{file, append.position, there});
  return is_beginning ? there : 0;
}

// Half of an append is none. With company this could cut off what another process appends just now.
bool take_back(int file, const UnfinishedAppend& append, Company company) {
  return company == Company::none && torn_bytes(file, append) > 0 &&
         ::ftruncate(file, static_cast<off_t>(append.position)) == 0;
}

// Writes to the end, wherever that is by now (O_APPEND): whatever is there stays.
void complete(const Beneath& root, const UnfinishedAppend& append, Company company, Log& log) {
  const Opened opened = root.open(append.path, kFlags);
  const int file = opened.file.get();
  const std::uint64_t there = opened.error == 0 ? torn_bytes(file, append) : 0;
  if (there == 0) return;
  LogFields fields;
  fields.text("path", append.path)
      .number("torn", static_cast<std::int64_t>(there))
      .number("bytes", static_cast<std::int64_t>(append.size));
  const Part rest{append.body.get(), append.body_at + there, append.size - there};
  const int error = copy_part(rest, file);
  if (error == 0) return log.warn("an append that a kill had torn was completed", fields);
  fields.text("err", std::generic_category().message(error));
  log.error(take_back(file, append, company)
                ? "an append that a kill had torn could not be completed and was taken back"
                : "an append that a kill had torn could not be completed; a part of it stays",
            fields);
}

}  // namespace

void complete_torn_appends(const Beneath& root, int folder, Company company, Log& log) {
  std::vector<Found> found;
  if (read_folder(folder, found) != 0) return;
  for (const Found& one : found) {
    const auto append = read_append_record(folder, one.name);
    if (append) complete(root, *append, company, log);
  }
}

}  // namespace flowstore::files::localfs
