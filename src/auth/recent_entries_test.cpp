#include "auth/recent_entries.h"

#include <gtest/gtest.h>

namespace flowstore::auth {
namespace {

CacheEntry entry_with(std::uint64_t file_quota) {
  CacheEntry entry;
  entry.grant.file_quota = file_quota;
  return entry;
}

TEST(RecentEntries, FindsWhatWasPutLast) {
  RecentEntries entries(2);
  entries.put({1, 0}, entry_with(10));
  entries.put({1, 0}, entry_with(11));
  ASSERT_NE(entries.find({1, 0}), nullptr);
  EXPECT_EQ(entries.find({1, 0})->grant.file_quota, 11U);
  EXPECT_EQ(entries.size(), 1U);
}

TEST(RecentEntries, TellsKeysApartByAllTheirBits) {
  RecentEntries entries(2);
  entries.put({1, 0}, entry_with(10));
  EXPECT_EQ(entries.find({1, 1}), nullptr);
}

TEST(RecentEntries, DropsTheOneThatWasNotUsedForTheLongestTime) {
  RecentEntries entries(2);
  entries.put({1, 0}, entry_with(1));
  entries.put({2, 0}, entry_with(2));
  entries.find({1, 0});
  entries.put({3, 0}, entry_with(3));
  EXPECT_NE(entries.find({1, 0}), nullptr);
  EXPECT_EQ(entries.find({2, 0}), nullptr);
  EXPECT_NE(entries.find({3, 0}), nullptr);
  EXPECT_EQ(entries.size(), 2U);
}

TEST(RecentEntries, ForgetsWhatIsErased) {
  RecentEntries entries(2);
  entries.put({1, 0}, entry_with(1));
  entries.erase({1, 0});
  entries.erase({2, 0});
  EXPECT_EQ(entries.find({1, 0}), nullptr);
  EXPECT_EQ(entries.size(), 0U);
}

}  // namespace
}  // namespace flowstore::auth
