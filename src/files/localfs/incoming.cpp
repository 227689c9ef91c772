// Blocks on the pool: writes files.

#include "files/localfs/incoming.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/statvfs.h>

#include "base/crash_point.h"
#include "files/file_errors.h"
#include "files/localfs/file_io.h"

namespace flowstore::files::localfs {
namespace {

// Up to here a body waits in memory. One write and one hop to the pool is then all that a commit
// costs; a thousand uploads at once still fit in 128 MiB.
constexpr std::size_t kMostInMemory = 128 * 1024;

// Larger bodies are written in pieces of at least this size: fewer hops to the pool.
constexpr std::size_t kPiece = 256 * 1024;

// From here on the disk is asked for the space before the body comes.
constexpr std::uint64_t kReserveFrom = 1 << 20;

// Asks for the space of a body; 0 or errno. Some file systems cannot tell and find out while
// writing. What is free is looked at first: ext4 would fill the disk before it says ENOSPC, and
// everybody else's writes would fail meanwhile.
int reserve(int file, std::uint64_t size) {
  if (size < kReserveFrom) return 0;
  struct statvfs space {};
  if (::fstatvfs(file, &space) != 0) return errno;
  const bool is_known = space.f_blocks != 0;
  if (is_known && size / space.f_frsize >= space.f_bavail) return ENOSPC;
  if (::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) == 0) return 0;
  return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? errno : 0;
}

// The size stays what it was when the target was found: the caller has the file's turn.
bool is_too_long(const LoggedChange& change, const Expected& expected) {
  if (change.operation != WalOperation::append) return false;
  return !expected.has_room(static_cast<std::uint64_t>(change.old.st_size), change.bytes.size());
}

}  // namespace

Task<Status> Incoming::take_in(ByteSource& body) {
  const std::uint64_t expected_size = body.size().value_or(0);
  const bool is_large = expected_size > kMostInMemory;
  if (!is_large) buffer_.reserve(static_cast<std::size_t>(expected_size));
  while (true) {
    const auto piece = co_await body.next();
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    size_ += piece->size();
    buffer_.append(*piece);
    const std::size_t most = is_large || file_ ? kPiece : kMostInMemory;
    if (buffer_.size() > most) FLOWSTORE_CO_TRY_STATUS(co_await spill(expected_size));
  }
  const bool goes_to_disk = static_cast<bool>(file_) || size_ > kMostInMemory;
  if (goes_to_disk && !buffer_.empty()) FLOWSTORE_CO_TRY_STATUS(co_await spill(expected_size));
  co_return Status();
}

Task<Status> Incoming::spill(std::uint64_t expected_size) {
  auto work = [this, expected_size] { return store_piece(expected_size); };
  const int error = co_await io_.run(work);
  if (error != 0) co_return trouble_.translate(error, key_, "write");
  buffer_.clear();
  co_return Status();
}

int Incoming::store_piece(std::uint64_t expected_size) {
  if (!file_) {
    int error = 0;
    file_ = disk_.temp().create(error);
    if (error == 0) error = reserve(file_.file(), expected_size);
    if (error != 0) return error;
  }
  const int error = write_all(file_.file(), buffer_);
  crash_point(CrashPoint::temp_piece_written);
  return error;
}

Task<> Incoming::discard() {
  if (!file_) co_return;
  auto work = [this] { return file_ = TempFile(), 0; };
  co_await io_.run(work);
}

Task<Result<WriteResult>> Incoming::commit(Expected expected) {
  if (key_.names_folder()) co_return is_a_directory(key_, "open");
  if (!expected.has_room(0, size_)) co_return Error::too_large(*expected.most);
  const bool is_small = !file_;
  if (wal_ != nullptr && is_small) {
    const auto what = mode_ == WriteMode::append ? WalOperation::append : WalOperation::replace;
    LoggedChange change(what, key_.path(), buffer_);
    bool is_made = co_await find_target(change);
    if (is_made && is_too_long(change, expected)) co_return Error::too_large(*expected.most);
    if (is_made) is_made = co_await wal_->make(change);
    if (is_made && change.error != 0) co_return trouble_.translate(change.error, key_, "open");
    if (is_made) co_return std::move(change.written);
  }
  co_return co_await commit_without_log(expected);
}

// False for what the log cannot make, whatever the reason: the other way finds that again.
Task<bool> Incoming::find_target(LoggedChange& change) {
  if (mode_ == WriteMode::replace) {
    find_place(disk_, change);
    co_return true;
  }
  int error = find_end(disk_, change, Wait::never);
  if (error == EAGAIN) {
    auto work = [this, &change] { return find_end(disk_, change, Wait::allowed); };
    error = co_await io_.run(work);
  }
  co_return error == 0;
}

Task<Result<WriteResult>> Incoming::commit_without_log(const Expected& expected) {
  auto work = [&] {
    UnloggedChanges::Change change(wal_ != nullptr ? &wal_->unlogged() : nullptr, key_.path());
    auto made = mode_ == WriteMode::append ? append_now(expected) : replace_now();
    if (made.value) change.was_made();
    return made;
  };
  auto outcome = co_await io_.run(work);
  if (outcome.error == kTooLong) co_return Error::too_large(*expected.most);
  if (wal_ != nullptr && outcome.value) outcome.error = co_await wal_->forget(key_.path());
  if (outcome.error != 0) co_return trouble_.translate(outcome.error, key_, "open");
  co_return *std::move(outcome.value);
}

Outcome<WriteResult> Incoming::replace_now() {
  if (file_) return disk_.replace(key_.path(), std::move(file_));
  return disk_.replace(key_.path(), buffer_);
}

Outcome<WriteResult> Incoming::append_now(const Expected& expected) {
  // The file goes here, on the pool.
  if (file_) return disk_.append(key_.path(), std::move(file_), expected);
  return disk_.append(key_.path(), buffer_, expected);
}

}  // namespace flowstore::files::localfs
