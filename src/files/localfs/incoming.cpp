#include "files/localfs/incoming.h"

#include <utility>

#include <fcntl.h>

namespace flowstore::files::localfs {
namespace {

// Up to here a body waits in memory. One write and one hop to the pool is then all that a commit
// costs; a thousand uploads at once still fit in 128 MiB.
constexpr std::size_t kMostInMemory = 128 * 1024;

// Larger bodies are written in pieces of at least this size: fewer hops to the pool.
constexpr std::size_t kPiece = 256 * 1024;

// From here on the disk is asked for the space before the body comes.
constexpr std::uint64_t kReserveFrom = 1 << 20;

}  // namespace

Task<Status> Incoming::take_in(ByteSource& body) {
  const std::uint64_t expected_size = body.size().value_or(0);
  const bool is_large = expected_size > kMostInMemory;
  while (true) {
    const auto piece = co_await body.next();
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    size_ += piece->size();
    buffer_.append(*piece);
    const std::size_t most = is_large || file_ ? kPiece : kMostInMemory;
    if (buffer_.size() > most) FLOWSTORE_CO_TRY_STATUS(co_await spill(expected_size));
  }
  if (file_ && !buffer_.empty()) FLOWSTORE_CO_TRY_STATUS(co_await spill(expected_size));
  co_return Status();
}

Task<Status> Incoming::spill(std::uint64_t expected_size) {
  auto work = [this, expected_size] {
    int error = 0;
    if (!file_) {
      file_ = disk_.temp().create(error);
      const bool reserves = error == 0 && expected_size >= kReserveFrom;
      // Not every file system can; those that cannot find out while writing.
      if (reserves &&
          ::fallocate(file_.file(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(expected_size)) !=
              0 &&
          errno == ENOSPC) {
        error = ENOSPC;
      }
    }
    return error != 0 ? error : write_all(file_.file(), buffer_);
  };
  const int error = co_await io_.run(work);
  if (error != 0) co_return trouble_.translate(error, key_, "write");
  buffer_.clear();
  co_return Status();
}

Task<Result<WriteResult>> Incoming::replace() {
  auto work = [this] { return replace_now(); };
  co_return result_of(co_await io_.run(work));
}

Task<Result<WriteResult>> Incoming::append() {
  auto work = [this] {
    return file_ ? disk_.append(key_.path(), file_) : disk_.append(key_.path(), buffer_);
  };
  co_return result_of(co_await io_.run(work));
}

Outcome<WriteResult> Incoming::replace_now() {
  if (!file_) {
    int error = 0;
    file_ = disk_.temp().create(error);
    if (error == 0) error = write_all(file_.file(), buffer_);
    if (error != 0) return Outcome<WriteResult>::failed(error);
  }
  return disk_.replace(key_.path(), std::move(file_));
}

Result<WriteResult> Incoming::result_of(Outcome<WriteResult> outcome) {
  if (!outcome.value) return trouble_.translate(outcome.error, key_, "open");
  return *std::move(outcome.value);
}

}  // namespace flowstore::files::localfs
