#include "base/small_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace flowstore {
namespace {

class SmallFile : public testing::Test {
 protected:
  SmallFile() {
    char name[] = "/tmp/flowstore-small-file-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~SmallFile() override { std::filesystem::remove_all(folder_); }

  std::string with(const std::string& text) const {
    std::ofstream(folder_ / "file", std::ios::binary) << text;
    return folder_ / "file";
  }

  std::filesystem::path folder_;
};

TEST_F(SmallFile, IsReadToItsEnd) {
  EXPECT_EQ(read_small_file(with("")), "");
  const std::string text(100'000, 'x');
  EXPECT_EQ(read_small_file(with(text + '\0')), text + '\0');
}

TEST_F(SmallFile, IsNothingElse) {
  EXPECT_EQ(read_small_file(folder_ / "missing"), std::nullopt);
  EXPECT_EQ(read_small_file(folder_), std::nullopt);
  EXPECT_EQ(read_small_file("/dev/zero"), std::nullopt);
}

}  // namespace
}  // namespace flowstore
