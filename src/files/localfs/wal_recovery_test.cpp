#include "files/localfs/wal_recovery.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "files/localfs/file_size_limit.h"
#include "files/localfs/test_root.h"

namespace flowstore::files::localfs {
namespace {

class WalRecovery : public testing::Test {
 protected:
  void log(WalOperation operation, std::string_view path, std::string_view bytes = {},
           std::uint64_t position = 0) {
    WalRecord record;
    record.operation = operation;
    record.path = path;
    record.bytes = bytes;
    record.position = position;
    record.modified = ModifiedTime::now();
    record.sequence = records_.size() + 1;
    records_.push_back(record);
  }
  void replay() { EXPECT_EQ(localfs::replay(disk_, records_, recovered_), 0); }

  TestRoot root_;
  Disk disk_ = Disk(Beneath(root_.open()), *TempFolder::make(root_.open().get(), root_.path()),
                    Durability::strict)
                   .logged();
  std::vector<WalRecord> records_;
  RecoveredLog recovered_;
};

TEST_F(WalRecovery, MakesWhatTheDiskForgot) {
  log(WalOperation::replace, "t/p/new/file", "whole");
  log(WalOperation::append, "t/p/new/file", " and more", 5);
  root_.put("t/p/removed", "old");
  log(WalOperation::remove, "t/p/removed");
  replay();
  EXPECT_EQ(root_.get("t/p/new/file"), "whole and more");
  EXPECT_FALSE(root_.has("t/p/removed"));
  EXPECT_EQ(recovered_.changes, 3U);
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_F(WalRecovery, ChangesNothingThatIsThere) {
  log(WalOperation::replace, "t/p/a", "one");
  log(WalOperation::append, "t/p/a", "two", 3);
  log(WalOperation::append, "t/p/a", "three", 6);
  for (int times = 0; times < 2; ++times) {
    replay();
    EXPECT_EQ(root_.get("t/p/a"), "onetwothree");
  }
}

TEST_F(WalRecovery, RepairsWhatAPowerCutTore) {
  root_.put("t/p/short", "");
  root_.put("t/p/long", std::string(100, 'x'));
  log(WalOperation::replace, "t/p/short", "whole");
  log(WalOperation::append, "t/p/long", "tail", 90);
  replay();
  EXPECT_EQ(root_.get("t/p/short"), "whole");
  EXPECT_EQ(root_.get("t/p/long"), std::string(90, 'x') + "tail");
}

TEST_F(WalRecovery, LeavesWhatIsNewerOnTheDisk) {
  root_.put("t/p/a", "written without the log");
  log(WalOperation::replace, "t/p/a", "before that");
  log(WalOperation::forget, "t/p/a");
  log(WalOperation::replace, "t/p/b", "before that");
  log(WalOperation::forget, "t/p/b");
  log(WalOperation::append, "t/p/a", "!", 23);
  replay();
  EXPECT_EQ(root_.get("t/p/a"), "written without the log!");
  EXPECT_FALSE(root_.has("t/p/b"));
}

TEST_F(WalRecovery, LeavesOutWhatWasCancelled) {
  log(WalOperation::replace, "t/p/a", "made");
  log(WalOperation::replace, "t/p/a", "the disk was full");
  log(WalOperation::cancel, "", "", 2);
  replay();
  EXPECT_EQ(root_.get("t/p/a"), "made");
  EXPECT_EQ(recovered_.changes, 1U);
}

TEST_F(WalRecovery, ShowsNoStateAgainThatWasSuperseded) {
  log(WalOperation::replace, "t/p/a", "first");
  log(WalOperation::remove, "t/p/a");
  log(WalOperation::replace, "t/p/a", "last");
  replay();
  EXPECT_EQ(root_.get("t/p/a"), "last");
  EXPECT_EQ(recovered_.changes, 1U);
}

TEST_F(WalRecovery, LeavesWhatAnotherProgramChangedMuchLater) {
  root_.put("t/p/a", "of the old server");
  log(WalOperation::replace, "t/p/a", "before a kill");
  records_.back().modified.nanoseconds -= std::int64_t{120} * 1'000'000'000;
  replay();
  EXPECT_EQ(root_.get("t/p/a"), "of the old server");
  EXPECT_EQ(recovered_.skipped, 1U);
}

TEST_F(WalRecovery, AFileIsOursAsLateAsItsLastChangeInTheLog) {
  log(WalOperation::replace, "t/p/a", "whole");
  records_.back().modified.nanoseconds -= std::int64_t{120} * 1'000'000'000;
  log(WalOperation::append, "t/p/a", " and more", 5);
  root_.put("t/p/a", "");
  replay();
  EXPECT_EQ(root_.get("t/p/a"), "whole and more");
  EXPECT_EQ(recovered_.skipped, 0U);
}

TEST_F(WalRecovery, PassesOverWhatNoLongerFitsTheTree) {
  root_.put("t/p/folder/file", "x");
  root_.put("t/p/file", "x");
  log(WalOperation::replace, "t/p/folder", "a folder is there");
  log(WalOperation::replace, "t/p/file/below", "a file is there");
  log(WalOperation::append, "t/p/gone", "tail", 10);
  log(WalOperation::replace, "t/p/good", "made");
  replay();
  EXPECT_EQ(root_.get("t/p/folder/file"), "x");
  EXPECT_EQ(root_.get("t/p/good"), "made");
  EXPECT_EQ(recovered_.skipped, 3U);
}

TEST_F(WalRecovery, CompletesAnAppendThatAKillTore) {
  root_.put("t/p/torn", "headta");
  root_.put("t/p/foreign", "headxx");
  root_.put("t/p/not_begun", "head");
  for (const char* const path : {"t/p/torn", "t/p/foreign", "t/p/not_begun"}) {
    log(WalOperation::append, path, "tail", 4);
  }
  EXPECT_EQ(complete_appends(disk_, records_, recovered_), 0);
  EXPECT_EQ(root_.get("t/p/torn"), "headtail");
  EXPECT_EQ(root_.get("t/p/foreign"), "headxx");
  EXPECT_EQ(root_.get("t/p/not_begun"), "head");
}

TEST_F(WalRecovery, OnAFullDiskTakesBackTheAppendThatAKillTore) {
  const std::string bytes(20'000, 'a');
  root_.put("t/p/torn", "head" + bytes.substr(0, 4092));
  log(WalOperation::append, "t/p/torn", bytes, 4);
  {
    const FileSizeLimit limit(10'000);
    EXPECT_EQ(complete_appends(disk_, records_, recovered_), 0);
  }
  EXPECT_EQ(root_.get("t/p/torn"), "head");
  EXPECT_EQ(recovered_.taken_back, 1U);
}

}  // namespace
}  // namespace flowstore::files::localfs
