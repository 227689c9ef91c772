#include "files/localfs/wal_frame.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace flowstore::files::localfs {
namespace {

WalRecord record_of(WalOperation operation, std::string_view path, std::string_view bytes,
                    std::uint64_t position = 0) {
  WalRecord record;
  record.operation = operation;
  record.path = path;
  record.bytes = bytes;
  record.position = position;
  record.modified.nanoseconds = 1'700'000'000'000'000'001;
  return record;
}

std::string frame_of(const std::vector<WalRecord>& records, WalPlace place,
                     std::uint64_t first_sequence = 1) {
  WalFrame frame;
  frame.begin();
  for (const WalRecord& record : records) frame.add(record);
  return std::string(frame.finish(place, first_sequence));
}

constexpr WalPlace kPlace{7, 3};

TEST(WalFrame, GivesBackWhatWasPutIn) {
  const std::string body(5000, 'x');
  const std::string frame = frame_of({record_of(WalOperation::replace, "t/p/a", body),
                                      record_of(WalOperation::append, "t/p/b", "tail", 42),
                                      record_of(WalOperation::remove, "t/p/c", "")},
                                     kPlace, 100);
  std::vector<WalRecord> records;
  EXPECT_EQ(read_wal_frame(frame, kPlace, records), frame.size());
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].path, "t/p/a");
  EXPECT_EQ(records[0].bytes, body);
  EXPECT_EQ(records[0].modified.nanoseconds, 1'700'000'000'000'000'001);
  EXPECT_EQ(records[1].operation, WalOperation::append);
  EXPECT_EQ(records[1].position, 42U);
  EXPECT_EQ(records[2].sequence, 102U);
}

TEST(WalFrame, FillsWholeBlocks) {
  for (const std::size_t length : {0U, 1U, 3990U, 4096U, 70000U}) {
    const std::string body(length, 'x');
    const std::string frame = frame_of({record_of(WalOperation::replace, "t/p/a", body)}, kPlace);
    EXPECT_EQ(frame.size() % kWalBlock, 0U);
    EXPECT_LT(frame.size(), length + 2 * kWalBlock);
  }
}

TEST(WalFrame, OfAnotherPlaceIsNone) {
  const std::string frame = frame_of({record_of(WalOperation::remove, "t/p/a", "")}, kPlace);
  std::vector<WalRecord> records;
  EXPECT_FALSE(read_wal_frame(frame, WalPlace{6, 3}, records));
  EXPECT_FALSE(read_wal_frame(frame, WalPlace{7, 2}, records));
  EXPECT_TRUE(records.empty());
}

TEST(WalFrame, ThatWasCutOrSpoiltIsNone) {
  const std::string frame =
      frame_of({record_of(WalOperation::replace, "t/p/a", "some bytes")}, kPlace);
  const std::size_t length = frame.find_last_not_of('\0') + 1;
  std::vector<WalRecord> records;
  for (std::size_t cut = 0; cut < length; ++cut) {
    EXPECT_FALSE(read_wal_frame(frame.substr(0, cut), kPlace, records)) << cut;
  }
  for (std::size_t at = 0; at < length; ++at) {
    std::string spoilt = frame;
    spoilt[at] = static_cast<char>(spoilt[at] ^ 0x10);
    EXPECT_FALSE(read_wal_frame(spoilt, kPlace, records)) << at;
  }
  EXPECT_FALSE(read_wal_frame(std::string(kWalBlock, '\0'), kPlace, records));
  EXPECT_TRUE(records.empty());
}

}  // namespace
}  // namespace flowstore::files::localfs
