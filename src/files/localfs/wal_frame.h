// What the write-ahead log says: records of changes, in frames. docs/storage.md describes the
// bytes.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/localfs/file_io.h"

namespace flowstore::files::localfs {

// A frame fills whole blocks, so that none that was answered is written over again.
inline constexpr std::size_t kWalBlock = 4096;

enum class WalOperation : std::uint8_t {
  settle = 0,   // in no log: asks for everything in it to be synced
  replace = 1,  // the bytes are the whole file
  append = 2,   // the bytes follow on the first `position` ones
  remove = 3,
  forget = 4,  // the disk has for certain what was done to this path so far, or something newer
  cancel = 5,  // the record whose sequence is `position` was not made after all
};

// One change. Refers to bytes of others.
struct WalRecord {
  WalOperation operation = WalOperation::forget;
  std::string_view path;  // relative to the root
  std::string_view bytes;
  std::uint64_t position = 0;
  ModifiedTime modified;
  std::uint64_t sequence = 0;  // counts the records of a log
};

// Where a frame stands: a segment begins a new epoch whenever it is started over, so that frames of
// its former life are not taken for ones of this.
struct WalPlace {
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;  // counts the frames of an epoch
};

// Puts records together to a frame.
class WalFrame {
 public:
  // The most that a record adds to a frame.
  static std::size_t size_of(const WalRecord& record);

  void begin();
  void add(const WalRecord& record);
  std::uint32_t records() const noexcept { return records_; }
  // The length of what finish() will return.
  std::size_t size() const noexcept;
  // All of it, valid until begin().
  std::string_view finish(WalPlace place, std::uint64_t first_sequence);

 private:
  std::string buffer_;
  std::uint32_t records_ = 0;
};

// Adds the records of the frame that `bytes` begins with, and returns the frame's length. Nothing
// if there is no whole and sound frame of that place.
std::optional<std::size_t> read_wal_frame(std::string_view bytes, WalPlace place,
                                          std::vector<WalRecord>& records);

// A checksum (CRC-32 of IEEE 802.3, as in zlib).
std::uint32_t wal_checksum(std::string_view bytes);

}  // namespace flowstore::files::localfs
