#include "tools/quantity.h"

#include <gtest/gtest.h>

namespace flowstore::tools {
namespace {

TEST(Quantity, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(2000, "file"), "2,000 files");
}

TEST(Quantity, ShowsBytesInAUnitThatFits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(10 * 1024), "10 KiB");
  EXPECT_EQ(human_bytes((1U << 20U) - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(std::uint64_t{340} << 20U), "340 MiB");
  EXPECT_EQ(human_bytes(UINT64_MAX), "16 EiB");
}

}  // namespace
}  // namespace flowstore::tools
