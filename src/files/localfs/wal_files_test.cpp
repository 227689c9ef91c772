#include "files/localfs/wal_files.h"

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "files/localfs/test_root.h"

namespace flowstore::files::localfs {
namespace {

// Replaces of one file, a frame each.
class WalFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(root_.at("wal"));
    start();
    ASSERT_EQ(files_->fill(), 0);
  }

  // A process begins; the former one is dead.
  void start() {
    files_.reset();
    files_.emplace(disk_, registry_.emplace(), [](int) {});
    const auto recovered = files_->recover(folder_of("wal").get());
    ASSERT_TRUE(recovered) << recovered.error().message();
  }
  FileDescriptor folder_of(const std::string& path) const {
    return FileDescriptor(::open(root_.at(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  void add(std::string_view bytes) {
    WalRecord record;
    record.operation = WalOperation::replace;
    record.path = kPath;
    record.bytes = bytes;
    record.modified = ModifiedTime::now();
    frame_.begin();
    frame_.add(record);
    ASSERT_EQ(files_->make_room(frame_.size()), 0);
    ASSERT_EQ(files_->add(frame_.finish(files_->next(), next_sequence_++)), 0);
  }

  static constexpr std::string_view kPath = "t/p/a";

  TestRoot root_;
  Disk disk_ = Disk(Beneath(root_.open()), *TempFolder::make(root_.open().get(), root_.path()),
                    Durability::strict)
                   .logged();
  std::optional<metrics::Registry> registry_;
  std::optional<WalFiles> files_;
  WalFrame frame_;
  std::uint64_t next_sequence_ = 1;
};

TEST_F(WalFilesTest, KeepTheOrderOfFramesAfterHealing) {
  add("before");
  ASSERT_EQ(files_->heal([](std::string_view) { return false; }), 0);
  add("older");
  ASSERT_EQ(files_->distrust(), 0);
  const std::array<std::string, 2> before = {root_.get("wal/0"), root_.get("wal/1")};
  ASSERT_EQ(files_->turn_over(), 0);
  ASSERT_EQ(files_->wait_for_other(), 0);
  add("newer");
  ASSERT_EQ(files_->distrust(), 0);
  // As if the power had gone before the other segment was empty.
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].find("older") != std::string::npos)
      root_.put("wal/" + std::to_string(i), before[i]);
  }
  start();
  EXPECT_EQ(root_.get(std::string(kPath)), "newer");
}

TEST_F(WalFilesTest, HealingPassesOverWhatIsNewer) {
  add("in the log");
  ASSERT_EQ(files_->heal([](std::string_view path) { return path == kPath; }), 0);
  EXPECT_FALSE(root_.has(std::string(kPath)));
}

TEST_F(WalFilesTest, TheLongestFrameFits) {
  WalRecord record;
  record.path = kPath;
  const std::string bytes(files_->most_bytes() - WalFrame::size_of(record), 'x');
  const auto size = std::filesystem::file_size(root_.at("wal/0"));
  add(bytes);
  ASSERT_EQ(files_->wait_for_other(), 0);
  EXPECT_EQ(std::filesystem::file_size(root_.at("wal/0")), size);
  EXPECT_EQ(std::filesystem::file_size(root_.at("wal/1")), size);
}

}  // namespace
}  // namespace flowstore::files::localfs
