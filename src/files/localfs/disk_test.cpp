#include "files/localfs/disk.h"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/localfs/file_io.h"
#include "files/localfs/test_root.h"
#include "files/localfs/tree.h"

namespace flowstore::files::localfs {
namespace {

Disk disk_in(const TestRoot& root, Durability durability) {
  auto temp = TempFolder::make(root.open().get(), root.path());
  return Disk(Beneath(root.open()), *std::move(temp), durability);
}

class DiskTest : public testing::TestWithParam<Durability> {
 protected:
  Outcome<WriteResult> replace(const std::string& path, std::string_view bytes) {
    int error = 0;
    TempFile file = disk_.temp().create(error);
    if (error == 0) error = write_all(file.file(), bytes);
    if (error != 0) return Outcome<WriteResult>::failed(error);
    return disk_.replace(path, std::move(file));
  }

  // The syncs of thousands of writes would take their time on a disk.
  TestRoot root_{GetParam() == Durability::strict ? "/dev/shm" : testing::TempDir()};
  Disk disk_ = disk_in(root_, GetParam());
};

INSTANTIATE_TEST_SUITE_P(Both, DiskTest, testing::Values(Durability::strict, Durability::relaxed),
                         [](const auto& durability) {
                           const bool is_strict = durability.param == Durability::strict;
                           return is_strict ? "Strict" : "Relaxed";
                         });

TEST_P(DiskTest, LeavesNothingButTheFile) {
  ASSERT_TRUE(replace("t/p/a", "one").value);
  ASSERT_TRUE(replace("t/p/a", "two").value);
  ASSERT_TRUE(disk_.append("t/p/a", "three").value);
  EXPECT_EQ(root_.get("t/p/a"), "twothree");
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(DiskTest, TagsOfFastWritesOfOneSizeDiffer) {
  std::set<std::string> etags;
  for (int i = 0; i < 1000; ++i) {
    const auto written = replace("t/p/a", "same");
    ASSERT_TRUE(written.value);
    etags.insert(written.value->stat.etag);
  }
  EXPECT_EQ(etags.size(), 1000U);
}

TEST_P(DiskTest, AReplacedFileKeepsItsPermissions) {
  root_.put("t/p/a", "old");
  ASSERT_EQ(::chmod(root_.at("t/p/a").c_str(), 0640), 0);
  ASSERT_TRUE(replace("t/p/a", "new").value);
  struct stat status {};
  ASSERT_EQ(::stat(root_.at("t/p/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST_P(DiskTest, ReachesAFolderOnAnotherFileSystem) {
  const TestRoot root;
  const TestRoot elsewhere("/dev/shm");
  struct stat here {};
  struct stat there {};
  ASSERT_EQ(::stat(root.path().c_str(), &here), 0);
  ASSERT_EQ(::stat(elsewhere.path().c_str(), &there), 0);
  ASSERT_NE(here.st_dev, there.st_dev) << "TMPDIR must not lie in /dev/shm for this test";
  auto temp = TempFolder::make(elsewhere.open().get(), elsewhere.path());
  Disk disk(Beneath(root.open()), *std::move(temp), GetParam());
  for (const char* content : {"first", "second"}) {
    int error = 0;
    TempFile file = disk.temp().create(error);
    ASSERT_EQ(write_all(file.file(), content), 0);
    const auto written = disk.replace("t/p/a", std::move(file));
    ASSERT_TRUE(written.value) << written.error;
    EXPECT_EQ(root.get("t/p/a"), content);
  }
  EXPECT_EQ(root.files_below("t"), std::vector<std::string>{"a"});
  EXPECT_EQ(elsewhere.temporary_files(), 0U);
}

TEST_P(DiskTest, TakesThePlaceOfFilesOnly) {
  const TestRoot outside;
  outside.put("file", "old");
  root_.put("t/p/dir/file", "inner");
  ASSERT_EQ(::symlink(outside.at("file").c_str(), root_.at("t/p/link").c_str()), 0);
  ASSERT_EQ(::mkfifo(root_.at("t/p/fifo").c_str(), 0600), 0);
  EXPECT_EQ(replace("t/p/dir", "x").error, EISDIR);
  EXPECT_EQ(replace("t/p/link", "x").error, ELOOP);
  EXPECT_EQ(replace("t/p/fifo", "x").error, ELOOP);
  EXPECT_EQ(disk_.append("t/p/dir", "x").error, EISDIR);
  EXPECT_EQ(disk_.append("t/p/link", "x").error, ELOOP);
  EXPECT_EQ(disk_.append("t/p/fifo", "x").error, ENXIO);
  EXPECT_EQ(outside.get("file"), "old");
  EXPECT_EQ(root_.get("t/p/dir/file"), "inner");
}

TEST_P(DiskTest, AFolderLinkIsNoWayOut) {
  const TestRoot outside;
  std::filesystem::create_directories(root_.at("t/p"));
  ASSERT_EQ(::symlink(outside.path().c_str(), root_.at("t/p/link").c_str()), 0);
  EXPECT_EQ(replace("t/p/link/a", "x").error, ELOOP);
  EXPECT_EQ(replace("t/p/link/new/a", "x").error, ELOOP);
  EXPECT_EQ(disk_.append("t/p/link/a", "x").error, ELOOP);
  EXPECT_EQ(disk_.remove("t/p/link/a").error, ELOOP);
  RemovedTree removed;
  EXPECT_EQ(remove_tree(disk_, "t/p/link", Top::remove, removed), ELOOP);
  EXPECT_TRUE(outside.files_below("").empty());
}

TEST_P(DiskTest, NoChangeReachesTheOtherNamesOfAFile) {
  for (const char* name : {"replaced", "appended", "removed"}) {
    root_.put("t/other/" + std::string(name), "old");
    root_.put("t/p/a", "");
    const std::string linked = root_.at("t/p/" + std::string(name));
    ASSERT_EQ(::link(root_.at("t/other/" + std::string(name)).c_str(), linked.c_str()), 0);
  }
  ASSERT_EQ(::chmod(root_.at("t/p/appended").c_str(), 0640), 0);
  EXPECT_TRUE(replace("t/p/replaced", "new").value);
  EXPECT_TRUE(disk_.remove("t/p/removed").value);
  const auto appended = disk_.append("t/p/appended", " and new");
  ASSERT_TRUE(appended.value) << appended.error;
  EXPECT_EQ(appended.value->replaced_bytes, 3U);
  EXPECT_EQ(appended.value->stat.size, 11U);
  EXPECT_TRUE(disk_.append("t/p/appended", " and newer").value);
  EXPECT_EQ(root_.get("t/p/appended"), "old and new and newer");
  struct stat status {};
  EXPECT_EQ(::stat(root_.at("t/p/appended").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
  for (const char* name : {"replaced", "appended", "removed"}) {
    EXPECT_EQ(root_.get("t/other/" + std::string(name)), "old") << name;
  }
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(DiskTest, RemovesALinkAndNotWhatItLeadsTo) {
  const TestRoot outside;
  outside.put("dir/file", "precious");
  root_.put("t/p/dir/a", "12345");
  ASSERT_EQ(::symlink(outside.at("dir").c_str(), root_.at("t/p/dir/link").c_str()), 0);
  ASSERT_EQ(::symlink(outside.at("dir/file").c_str(), root_.at("t/p/link").c_str()), 0);
  EXPECT_EQ(disk_.remove("t/p/link").value, 0U);
  RemovedTree removed;
  EXPECT_EQ(remove_tree(disk_, "t/p/dir", Top::remove, removed), 0);
  EXPECT_EQ(removed.bytes, 5U);
  EXPECT_FALSE(root_.has("t/p/dir"));
  EXPECT_EQ(outside.get("dir/file"), "precious");
}

TEST_P(DiskTest, WritesWhileTheFolderIsRemovedAgainAndAgain) {
  std::atomic<bool> is_done = false;
  std::atomic<int> failures = 0;
  std::thread remover([&] {
    while (!is_done) {
      RemovedTree removed;
      const int error = remove_tree(disk_, "t/p/dir", Top::remove, removed);
      if (error != 0 && error != ENOENT) ++failures;
    }
  });
  for (int round = 0; round < 200; ++round) {
    // EAGAIN is honest: the folder went eight times in a row.
    const int replaced = replace("t/p/dir/sub/a", "x").error;
    const int appended = disk_.append("t/p/dir/sub/b", "x").error;
    for (const int error : {replaced, appended}) {
      if (error != 0 && error != EAGAIN) ++failures;
    }
  }
  is_done = true;
  remover.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(DiskTest, WritersWithoutTurnsStillLeaveOneWholeFile) {
  ASSERT_TRUE(replace("t/p/a", std::string(10'000, '0')).value);
  std::atomic<int> failures = 0;
  std::vector<std::thread> writers;
  for (char id = '1'; id <= '4'; ++id) {
    writers.emplace_back([&, id] {
      for (int round = 0; round < 50; ++round) {
        if (!replace("t/p/a", std::string(10'000, id)).value) ++failures;
        const std::string seen = root_.get("t/p/a");
        if (seen != std::string(10'000, seen.front())) ++failures;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(root_.temporary_files(), 0U);
}

}  // namespace
}  // namespace flowstore::files::localfs
