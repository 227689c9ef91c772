#include "files/localfs/wal_frame.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include <zlib.h>

namespace flowstore::files::localfs {
namespace {

static_assert(std::endian::native == std::endian::little, "the log is little-endian on every disk");

constexpr std::uint32_t kFrameMark = 0x31574c46;  // "FLW1"

constexpr std::size_t kMostKept = std::size_t{1} << 20U;

struct FrameHead {
  std::uint32_t mark = kFrameMark;
  std::uint32_t checksum = 0;  // of everything behind it
  std::uint64_t length = 0;    // of everything, the blocks' fill not counted
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;
  std::uint64_t first_sequence = 0;
  std::uint64_t records = 0;
};
constexpr std::size_t kChecked = offsetof(FrameHead, length);

struct RecordHead {
  std::uint32_t operation = 0;
  std::uint32_t path_length = 0;
  std::uint64_t bytes_length = 0;
  std::uint64_t position = 0;
  std::int64_t modified = 0;
};

static_assert(std::has_unique_object_representations_v<FrameHead>);
static_assert(std::has_unique_object_representations_v<RecordHead>);

template <class Head>
std::string_view bytes_of(const Head& head) {
  return std::string_view(reinterpret_cast<const char*>(&head), sizeof(head));
}

// Takes a head off the front; false if there is not enough.
template <class Head>
bool take_head(std::string_view& from, Head& head) {
  if (from.size() < sizeof(head)) return false;
  std::memcpy(&head, from.data(), sizeof(head));
  from.remove_prefix(sizeof(head));
  return true;
}

// The same with so many bytes.
bool take_bytes(std::string_view& from, std::uint64_t length, std::string_view& bytes) {
  if (from.size() < length) return false;
  bytes = from.substr(0, static_cast<std::size_t>(length));
  from.remove_prefix(bytes.size());
  return true;
}

std::size_t in_blocks(std::size_t length) {
  return (length + kWalBlock - 1) / kWalBlock * kWalBlock;
}

bool take_record(std::string_view& from, WalRecord& record) {
  RecordHead head;
  if (!take_head(from, head)) return false;
  record.operation = static_cast<WalOperation>(head.operation);
  record.position = head.position;
  record.modified.nanoseconds = head.modified;
  return take_bytes(from, head.path_length, record.path) &&
         take_bytes(from, head.bytes_length, record.bytes);
}

}  // namespace

std::uint32_t wal_checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::size_t WalFrame::size_of(const WalRecord& record) {
  return sizeof(RecordHead) + record.path.size() + record.bytes.size();
}

void WalFrame::begin() {
  // What an unusual batch needed is not kept.
  if (buffer_.capacity() > kMostKept) buffer_ = std::string();
  buffer_.assign(sizeof(FrameHead), '\0');
  records_ = 0;
}

void WalFrame::add(const WalRecord& record) {
  RecordHead head;
  head.operation = static_cast<std::uint32_t>(record.operation);
  head.path_length = static_cast<std::uint32_t>(record.path.size());
  head.bytes_length = record.bytes.size();
  head.position = record.position;
  head.modified = record.modified.nanoseconds;
  buffer_.append(bytes_of(head)).append(record.path).append(record.bytes);
  ++records_;
}

std::size_t WalFrame::size() const noexcept { return in_blocks(buffer_.size()); }

std::string_view WalFrame::finish(WalPlace place, std::uint64_t first_sequence) {
  FrameHead head;
  head.length = buffer_.size();
  head.epoch = place.epoch;
  head.index = place.index;
  head.first_sequence = first_sequence;
  head.records = records_;
  std::memcpy(buffer_.data(), &head, sizeof(head));
  head.checksum = wal_checksum(std::string_view(buffer_).substr(kChecked));
  std::memcpy(buffer_.data(), &head, sizeof(head));
  buffer_.resize(in_blocks(buffer_.size()), '\0');
  return buffer_;
}

std::optional<std::size_t> read_wal_frame(std::string_view bytes, WalPlace place,
                                          std::vector<WalRecord>& records) {
  FrameHead head;
  std::string_view rest = bytes;
  if (!take_head(rest, head) || head.mark != kFrameMark) return std::nullopt;
  if (head.epoch != place.epoch || head.index != place.index) return std::nullopt;
  if (head.length < sizeof(head) || head.length > bytes.size()) return std::nullopt;
  const std::string_view whole = bytes.substr(0, static_cast<std::size_t>(head.length));
  if (wal_checksum(whole.substr(kChecked)) != head.checksum) return std::nullopt;
  rest = whole.substr(sizeof(head));
  std::vector<WalRecord> found;
  while (!rest.empty()) {
    WalRecord record;
    if (!take_record(rest, record)) return std::nullopt;
    record.sequence = head.first_sequence + found.size();
    found.push_back(record);
  }
  records.insert(records.end(), found.begin(), found.end());
  return in_blocks(whole.size());
}

}  // namespace flowstore::files::localfs
