// Incoming: a body on its way to the disk.

#pragma once

#include <cstdint>
#include <string>

#include "base/blocking_pool.h"
#include "files/file_store.h"
#include "files/localfs/disk.h"
#include "files/localfs/trouble.h"
#include "files/localfs/wal.h"

namespace flowstore::files::localfs {

// Small bodies are kept in memory and reach the disk in one go with their commit; larger ones go to
// a temporary file as they come.
class Incoming final : public Upload {
 public:
  // All references must outlive it; there may be no log.
  Incoming(Disk& disk, WriteAheadLog* wal, BlockingPool& io, Trouble& trouble, FileKey key,
           WriteMode mode)
      : disk_(disk), wal_(wal), io_(io), trouble_(trouble), key_(std::move(key)), mode_(mode) {}

  // Reads the body to its end.
  Task<Status> take_in(ByteSource& body);

  // Drops what was taken in, on the pool: letting go of a large file keeps the disk busy.
  Task<> discard();

  std::uint64_t size() const override { return size_; }
  Task<Result<WriteResult>> commit(Expected expected) override;

 private:
  Task<Status> spill(std::uint64_t expected_size);
  int store_piece(std::uint64_t expected_size);
  Task<bool> find_target(LoggedChange& change);
  Task<Result<WriteResult>> commit_without_log(const Expected& expected);
  Outcome<WriteResult> replace_now();
  Outcome<WriteResult> append_now(const Expected& expected);

  Disk& disk_;
  WriteAheadLog* wal_;
  BlockingPool& io_;
  Trouble& trouble_;
  FileKey key_;
  WriteMode mode_;
  std::uint64_t size_ = 0;
  std::string buffer_;  // what has not been written to file_
  TempFile file_;       // none while the body is small
};

}  // namespace flowstore::files::localfs
