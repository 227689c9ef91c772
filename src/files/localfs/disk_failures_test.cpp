// The order of syncs and renames, and what happens when one of them fails. The calls of the C
// library are replaced by ones that can be watched and told to fail; on threads that do not ask for
// it they do what they always do.

#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files/localfs/disk.h"
#include "files/localfs/file_io.h"
#include "files/localfs/test_root.h"
#include "files/localfs/tree.h"

namespace flowstore::files::localfs {
namespace {

// Sees every call on this thread by name; what it returns, if not 0, is the errno of the call.
using Watcher = std::function<int(const std::string& call)>;
thread_local const Watcher* watcher = nullptr;

// "folder" or "file", whichever the descriptor is.
std::string kind_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) ? "folder" : "file";
}

// True if the call is to fail; errno is set.
bool fails(const std::string& call) {
  const int error = watcher != nullptr ? (*watcher)(call) : 0;
  if (error != 0) errno = error;
  return error != 0;
}

}  // namespace
}  // namespace flowstore::files::localfs

namespace localfs = flowstore::files::localfs;

extern "C" {

int fsync(int fd) {
  if (localfs::fails("sync " + localfs::kind_of(fd))) return -1;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
  if (localfs::fails("sync " + localfs::kind_of(fd))) return -1;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

int mkdirat(int folder, const char* name, mode_t mode) noexcept {
  if (localfs::fails("make " + std::string(name))) return -1;
  return static_cast<int>(::syscall(SYS_mkdirat, folder, name, mode));
}

int renameat(int from, const char* old_name, int to, const char* new_name) noexcept {
  if (localfs::fails("rename")) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from, old_name, to, new_name, 0));
}

int renameat2(int from, const char* old_name, int to, const char* new_name,
              unsigned flags) noexcept {
  const bool is_new = (flags & RENAME_NOREPLACE) != 0;
  if (localfs::fails(is_new ? "name" : "exchange")) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from, old_name, to, new_name, flags));
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  if (localfs::fails(flags == 0 ? "unlink" : "remove folder")) return -1;
  return static_cast<int>(::syscall(SYS_unlinkat, folder, name, flags));
}

}  // extern "C"

namespace flowstore::files::localfs {
namespace {

using Calls = std::vector<std::string>;

class DiskFailures : public testing::Test {
 protected:
  Disk& disk(Durability durability) {
    auto temp = TempFolder::make(root_.open().get(), root_.path());
    disk_.emplace(Beneath(root_.open()), *std::move(temp), durability);
    return *disk_;
  }

  Outcome<WriteResult> replace(const std::string& path, std::string_view bytes) {
    int error = 0;
    TempFile file = disk_->temp().create(error);
    if (error == 0) error = write_all(file.file(), bytes);
    if (error != 0) return Outcome<WriteResult>::failed(error);
    return disk_->replace(path, std::move(file));
  }

  template <class Act>
  static Calls calls_of(Act act) {
    Calls calls;
    const Watcher record = [&calls](const std::string& call) { return calls.push_back(call), 0; };
    watcher = &record;
    act();
    watcher = nullptr;
    return calls;
  }

  // Runs `act` while the first such call fails.
  template <class Act>
  static auto with_failing(const std::string& failing, int error, Act act) {
    bool has_failed = false;
    const Watcher watch = [&](const std::string& call) {
      if (has_failed || call != failing) return 0;
      has_failed = true;
      return error;
    };
    watcher = &watch;
    auto result = act();
    watcher = nullptr;
    EXPECT_TRUE(has_failed) << failing << " was never called";
    return result;
  }

  TestRoot root_;
  std::optional<Disk> disk_;
};

TEST_F(DiskFailures, StrictSyncsTheFileBeforeItsNameAndTheFolderAfter) {
  disk(Durability::strict);
  root_.put("t/p/a", "old");
  const Calls calls = calls_of([&] { EXPECT_TRUE(replace("t/p/a", "new").value); });
  EXPECT_EQ(calls, (Calls{"sync file", "rename", "sync folder"}));
}

TEST_F(DiskFailures, StrictSyncsEveryNewFolderUpToTheFirstThatWasThere) {
  disk(Durability::strict);
  root_.put("t/other", "");
  const Calls calls = calls_of([&] { EXPECT_TRUE(replace("t/p/dir/a", "new").value); });
  EXPECT_EQ(calls, (Calls{"make t", "make p", "sync folder", "make dir", "sync folder", "sync file",
                          "rename", "sync folder"}));
}

TEST_F(DiskFailures, StrictSyncsAppendsAndTheFolderOfANewFile) {
  disk(Durability::strict);
  root_.put("t/p/old", "");
  const auto append = [&] { EXPECT_TRUE(disk_->append("t/p/a", "x").value); };
  EXPECT_EQ(calls_of(append), (Calls{"sync file", "name", "sync folder"}));
  EXPECT_EQ(calls_of(append), (Calls{"sync file"}));
}

TEST_F(DiskFailures, StrictSyncsRemovals) {
  disk(Durability::strict);
  root_.put("t/p/a", "");
  root_.put("t/p/dir/sub/b", "");
  EXPECT_EQ(calls_of([&] { EXPECT_TRUE(disk_->remove("t/p/a").value); }),
            (Calls{"unlink", "sync folder"}));
  RemovedTree removed;
  EXPECT_EQ(calls_of([&] { EXPECT_EQ(remove_tree(*disk_, "t/p/dir", Top::remove, removed), 0); }),
            (Calls{"unlink", "remove folder", "remove folder", "sync folder"}));
}

TEST_F(DiskFailures, RelaxedSyncsNothing) {
  disk(Durability::relaxed);
  root_.put("t/p/a", "old");
  EXPECT_EQ(calls_of([&] { EXPECT_TRUE(replace("t/p/a", "new").value); }),
            (Calls{"exchange", "unlink"}));
  EXPECT_EQ(calls_of([&] { EXPECT_TRUE(replace("t/p/b", "new").value); }), (Calls{"rename"}));
  EXPECT_EQ(calls_of([&] { EXPECT_TRUE(disk_->append("t/p/a", "x").value); }), Calls());
}

TEST_F(DiskFailures, AFileSystemThatCannotExchangeRenames) {
  disk(Durability::relaxed);
  for (const int error : {EINVAL, ENOSYS, EOPNOTSUPP, EPERM}) {
    root_.put("t/p/a", "old");
    const auto written = with_failing("exchange", error, [&] { return replace("t/p/a", "new"); });
    ASSERT_TRUE(written.value);
    EXPECT_EQ(written.value->replaced_bytes, 3U);
    EXPECT_EQ(root_.get("t/p/a"), "new");
    EXPECT_EQ(root_.temporary_files(), 0U);
  }
}

TEST_F(DiskFailures, AReplaceThatFailsLeavesTheOldFile) {
  for (const char* call : {"sync file", "rename"}) {
    disk(Durability::strict);
    root_.put("t/p/a", "old");
    const auto written = with_failing(call, EIO, [&] { return replace("t/p/a", "new"); });
    EXPECT_EQ(written.error, EIO) << call;
    EXPECT_EQ(root_.get("t/p/a"), "old");
    EXPECT_EQ(root_.temporary_files(), 0U);
  }
}

TEST_F(DiskFailures, AFolderThatDoesNotSyncIsAFailedWrite) {
  disk(Durability::strict);
  root_.put("t/p/a", "old");
  const auto replaced = with_failing("sync folder", EIO, [&] { return replace("t/p/a", "new"); });
  EXPECT_EQ(replaced.error, EIO);
  const auto removed = with_failing("sync folder", EIO, [&] { return disk_->remove("t/p/a"); });
  EXPECT_EQ(removed.error, EIO);
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_F(DiskFailures, ANewFolderThatDoesNotSyncIsTakenBack) {
  disk(Durability::strict);
  root_.put("t/other", "");
  const auto written = with_failing("sync folder", EIO, [&] { return replace("t/p/a", "new"); });
  EXPECT_EQ(written.error, EIO);
  EXPECT_FALSE(root_.has("t/p"));
}

TEST_F(DiskFailures, AnAppendThatFailsIsTakenBack) {
  disk(Durability::strict);
  root_.put("t/p/a", "old");
  const auto grown = with_failing("sync file", EIO, [&] { return disk_->append("t/p/a", "new"); });
  EXPECT_EQ(grown.error, EIO);
  EXPECT_EQ(root_.get("t/p/a"), "old");
  for (const char* call : {"sync file", "sync folder"}) {
    const auto made = with_failing(call, EIO, [&] { return disk_->append("t/p/b", "new"); });
    EXPECT_EQ(made.error, EIO);
    EXPECT_FALSE(root_.has("t/p/b")) << call;
  }
}

TEST_F(DiskFailures, StrictSyncsACopyAcrossFileSystemsBeforeItsNameToo) {
  disk(Durability::strict);
  root_.put("t/p/a", "old");
  Calls calls;
  const Watcher watch = [&calls](const std::string& call) {
    calls.push_back(call);
    return call == "rename" && calls.size() == 2 ? EXDEV : 0;
  };
  watcher = &watch;
  const auto written = replace("t/p/a", "new");
  watcher = nullptr;
  ASSERT_TRUE(written.value) << written.error;
  EXPECT_EQ(calls, (Calls{"sync file", "rename", "sync file", "rename", "sync folder", "unlink"}));
  EXPECT_EQ(root_.get("t/p/a"), "new");
  EXPECT_EQ(root_.files_below("t"), std::vector<std::string>{"a"});
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_F(DiskFailures, ACopyAcrossFileSystemsThatFailsLeavesNoTrace) {
  disk(Durability::strict);
  root_.put("t/p/a", "old");
  int renames = 0;
  const Watcher watch = [&renames](const std::string& call) {
    if (call != "rename") return 0;
    return ++renames == 1 ? EXDEV : EIO;
  };
  watcher = &watch;
  const auto written = replace("t/p/a", "new");
  watcher = nullptr;
  EXPECT_EQ(written.error, EIO);
  EXPECT_EQ(root_.get("t/p/a"), "old");
  EXPECT_EQ(root_.files_below("t"), std::vector<std::string>{"a"});
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_F(DiskFailures, AnAppendThatCannotBeTakenBackSaysTheDisksLastWord) {
  disk(Durability::strict);
  root_.put("t/p/other", "");
  const Watcher watch = [](const std::string& call) {
    if (call == "sync folder") return ENOSPC;
    return call == "unlink" ? EROFS : 0;
  };
  watcher = &watch;
  const auto appended = disk_->append("t/p/a", "new");
  watcher = nullptr;
  EXPECT_EQ(appended.error, EROFS);
}

TEST_F(DiskFailures, AnAppendMakesANewFileWhereTheFileSystemKnowsOnlyLinks) {
  disk(Durability::strict);
  const auto made = with_failing("name", EINVAL, [&] { return disk_->append("t/p/a", "new"); });
  ASSERT_TRUE(made.value) << made.error;
  EXPECT_EQ(root_.get("t/p/a"), "new");
  EXPECT_EQ(root_.temporary_files(), 0U);
  EXPECT_EQ(std::filesystem::hard_link_count(root_.at("t/p/a")), 1U);
}

TEST_F(DiskFailures, AnAppendToAFileThatSomebodyMakesAtTheLastMomentLosesNothing) {
  disk(Durability::relaxed);
  for (const std::string& body : {std::string("new"), std::string(200'000, 'n')}) {
    bool is_made = false;
    const Watcher watch = [&](const std::string& call) {
      if (call == "name" && !std::exchange(is_made, true)) root_.put("t/p/a", "theirs");
      return 0;
    };
    int error = 0;
    TempFile file = disk_->temp().create(error);
    ASSERT_EQ(write_all(file.file(), body), 0);
    watcher = &watch;
    const auto appended = disk_->append("t/p/a", std::move(file));
    watcher = nullptr;
    EXPECT_TRUE(is_made);
    ASSERT_TRUE(appended.value) << appended.error;
    EXPECT_EQ(root_.get("t/p/a"), "theirs" + body);
    EXPECT_TRUE(disk_->remove("t/p/a").value);
  }
}

// A folder takes the place of the file at the last moment.
TEST_F(DiskFailures, AnExchangeNeverTakesAFolderAway) {
  disk(Durability::relaxed);
  root_.put("t/p/a", "old");
  bool is_swapped = false;
  const Watcher swap = [&](const std::string& call) {
    if (call != "exchange" || is_swapped) return 0;
    is_swapped = true;
    std::filesystem::remove(root_.at("t/p/a"));
    root_.put("t/p/a/inner", "precious");
    return 0;
  };
  watcher = &swap;
  const auto written = replace("t/p/a", "new");
  watcher = nullptr;
  EXPECT_EQ(written.error, EISDIR);
  EXPECT_EQ(root_.get("t/p/a/inner"), "precious");
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_F(DiskFailures, AFolderThatGoesBeforeTheRenameIsMadeAgain) {
  for (const Durability durability : {Durability::strict, Durability::relaxed}) {
    disk(durability);
    bool is_gone = false;
    const Watcher remove = [&](const std::string& call) {
      if (call != "rename" || is_gone) return 0;
      is_gone = true;
      std::filesystem::remove_all(root_.at("t"));
      return 0;
    };
    watcher = &remove;
    const auto written = replace("t/p/dir/a", "new");
    watcher = nullptr;
    EXPECT_TRUE(is_gone);
    ASSERT_TRUE(written.value) << written.error;
    EXPECT_EQ(root_.get("t/p/dir/a"), "new");
    std::filesystem::remove_all(root_.at("t"));
  }
}

TEST_F(DiskFailures, AFolderThatNeverStaysIsTroubleAndNoMissingFile) {
  disk(Durability::relaxed);
  const Watcher remove = [&](const std::string& call) {
    if (call == "rename") std::filesystem::remove_all(root_.at("t"));
    return 0;
  };
  watcher = &remove;
  const auto written = replace("t/p/a", "new");
  watcher = nullptr;
  EXPECT_EQ(written.error, EAGAIN);
  EXPECT_EQ(root_.temporary_files(), 0U);
}

}  // namespace
}  // namespace flowstore::files::localfs
