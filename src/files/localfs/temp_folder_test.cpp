#include "files/localfs/temp_folder.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/localfs/test_root.h"

namespace flowstore::files::localfs {
namespace {

constexpr const char* kTmp = ".flowstore/tmp";

std::size_t folders_in(const TestRoot& root) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(root.at(kTmp))) {
    ++count;
  }
  return count;
}

TempFolder make(const TestRoot& root, const LookAtDead& look_at_dead = LookAtDead()) {
  const FileDescriptor folder = root.open();
  auto temp = TempFolder::make(folder.get(), root.path(), look_at_dead);
  EXPECT_TRUE(temp);
  return *std::move(temp);
}

void make_older(const std::string& path, int seconds) {
  timespec times[2] = {};
  ::clock_gettime(CLOCK_REALTIME, &times[0]);
  times[0].tv_sec -= seconds;
  times[1] = times[0];
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

TEST(TempFolder, LeavesNothingBehind) {
  const TestRoot root;
  {
    TempFolder temp = make(root);
    int error = 0;
    const TempFile one = temp.create(error);
    const TempFile two = temp.create(error);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(root.temporary_files(), 2U);
    EXPECT_EQ(folders_in(root), 1U);
  }
  EXPECT_EQ(folders_in(root), 0U);
}

TEST(TempFolder, AFileThatWasRenamedAwayIsLeftAlone) {
  const TestRoot root;
  TempFolder temp = make(root);
  {
    int error = 0;
    TempFile file = temp.create(error);
    const FileDescriptor target = root.open();
    ASSERT_EQ(::renameat(file.folder(), file.name(), target.get(), "kept"), 0);
    file.forget_name();
  }
  EXPECT_TRUE(root.has("kept"));
}

TEST(TempFolder, MovingAFileKeepsIt) {
  const TestRoot root;
  TempFolder temp = make(root);
  int error = 0;
  TempFile file = temp.create(error);
  TempFile other = std::move(file);
  EXPECT_EQ(root.temporary_files(), 1U);
  other = temp.create(error);
  EXPECT_EQ(root.temporary_files(), 1U);
  other = TempFile();
  EXPECT_EQ(root.temporary_files(), 0U);
}

TEST(TempFolder, RemovesWhatAKilledProcessLeftAndOnlyThat) {
  const TestRoot root;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    TempFolder temp = make(root);
    int error = 0;
    const TempFile file = temp.create(error);
    const char is_ready = error == 0 ? '1' : '0';
    if (::write(ends[1], &is_ready, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char is_ready = 0;
  ASSERT_EQ(::read(ends[0], &is_ready, 1), 1);
  EXPECT_EQ(is_ready, '1');
  {
    const TempFolder mine = make(root);
    EXPECT_EQ(folders_in(root), 2U) << "the other process lives";
    EXPECT_EQ(root.temporary_files(), 1U);
  }
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(folders_in(root), 1U) << "nothing tidied up behind it";
  const TempFolder mine = make(root);
  EXPECT_EQ(folders_in(root), 1U);
  EXPECT_EQ(root.temporary_files(), 0U);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(TempFolder, ShowsWhatTheDeadLeftBeforeItGoes) {
  const TestRoot root;
  std::vector<Company> seen;
  const LookAtDead look = [&](int folder, Company company) {
    EXPECT_EQ(::faccessat(folder, "left", F_OK, 0), 0);
    seen.push_back(company);
  };
  const auto die = [&root] {
    root.put(std::string(kTmp) + "/1-2/lock", "");
    root.put(std::string(kTmp) + "/1-2/left", "x");
  };
  die();
  const TempFolder first = make(root, look);
  die();
  const TempFolder second = make(root, look);
  EXPECT_EQ(seen, (std::vector<Company>{Company::none, Company::some}));
  EXPECT_EQ(root.temporary_files(), 0U);
}

TEST(TempFolder, GivesAProcessThatIsStartingTheTimeToLock) {
  const TestRoot root;
  root.put(std::string(kTmp) + "/1-2/0", "");
  const TempFolder mine = make(root);
  EXPECT_EQ(folders_in(root), 2U);
  make_older(root.at(std::string(kTmp) + "/1-2"), 61);
  const TempFolder later = make(root);
  EXPECT_EQ(root.temporary_files(), 0U);
}

TEST(TempFolder, AFolderThatSomebodyRemovedIsNoMissingFile) {
  const TestRoot root;
  TempFolder temp = make(root);
  std::filesystem::remove_all(root.at(".flowstore"));
  int error = 0;
  EXPECT_FALSE(temp.create(error));
  EXPECT_EQ(error, ESTALE);
}

TEST(TempFolder, SaysInOneSentenceWhyItCannotBeMade) {
  const TestRoot root;
  root.put(".flowstore", "a file");
  const FileDescriptor folder = root.open();
  const auto temp = TempFolder::make(folder.get(), root.path());
  ASSERT_FALSE(temp);
  EXPECT_EQ(temp.error().message(), "driver.options.root: cannot make " + root.path() +
                                        "/.flowstore: Not a directory; let the user that runs "
                                        "flowstore write there");
}

}  // namespace
}  // namespace flowstore::files::localfs
