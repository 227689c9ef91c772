#include "files/localfs/tree.h"

#include <cerrno>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/localfs/listing.h"
#include "files/localfs/test_root.h"

namespace flowstore::files::localfs {
namespace {

// No more files can be opened than `more` beyond those that are open.
class OpenFilesLimit {
 public:
  explicit OpenFilesLimit(rlim_t more) {
    const FileDescriptor lowest_free(::dup(STDERR_FILENO));
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &old_), 0);
    rlimit limited = old_;
    limited.rlim_cur = static_cast<rlim_t>(lowest_free.get()) + more;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limited), 0);
  }
  OpenFilesLimit(const OpenFilesLimit&) = delete;
  OpenFilesLimit& operator=(const OpenFilesLimit&) = delete;
  ~OpenFilesLimit() { ::setrlimit(RLIMIT_NOFILE, &old_); }

 private:
  rlimit old_{};
};

class TreeTest : public testing::Test {
 protected:
  std::map<std::string, std::uint64_t> walked(const std::string& path) {
    std::map<std::string, std::uint64_t> files;
    const Visit visit = [&](const std::string& name, const struct stat& status) {
      files[name] = static_cast<std::uint64_t>(status.st_size);
    };
    EXPECT_EQ(walk(beneath_, path, visit), 0);
    return files;
  }

  TestRoot root_;
  Beneath beneath_{root_.open()};
};

TEST_F(TreeTest, VisitsEveryFileOnceAndNothingElse) {
  root_.put("p/a", "1");
  root_.put("p/dir/b", "22");
  root_.put("p/dir/sub/c", "333");
  std::filesystem::create_directories(root_.at("p/empty"));
  ASSERT_EQ(::symlink("a", root_.at("p/link").c_str()), 0);
  ASSERT_EQ(::mkfifo(root_.at("p/fifo").c_str(), 0600), 0);
  const std::map<std::string, std::uint64_t> expected = {{"a", 1}, {"dir/b", 2}, {"dir/sub/c", 3}};
  EXPECT_EQ(walked("p"), expected);
}

TEST_F(TreeTest, NeedsNoMoreDescriptorsForADeepTree) {
  std::string path = "p";
  for (int depth = 0; depth < 200; ++depth) path += "/d";
  root_.put(path + "/file", "deep");
  const OpenFilesLimit limit(2);
  EXPECT_EQ(walked("p").size(), 1U);
}

TEST_F(TreeTest, AFolderThatCannotBeReadIsAnErrorAndNotEmpty) {
  root_.put("p/dir/a", "12345");
  const Visit visit = [](const std::string&, const struct stat&) {};
  Listing listing;
  ListOptions options;
  const OpenFilesLimit limit(1);
  EXPECT_EQ(walk(beneath_, "p", visit), EMFILE);
  EXPECT_EQ(list_folder(beneath_, "p", options, listing), EMFILE);
  options.is_recursive = true;
  EXPECT_EQ(list_folder(beneath_, "p", options, listing), EMFILE);
}

TEST_F(TreeTest, PassesOverFoldersThatVanishMeanwhile) {
  root_.put("p/a", "1");
  for (const char* folder : {"p/x/file", "p/y/file", "p/z/file"}) root_.put(folder, "1");
  int visited = 0;
  const Visit visit = [&](const std::string&, const struct stat&) {
    ++visited;
    for (const char* folder : {"p/x", "p/y", "p/z"}) std::filesystem::remove_all(root_.at(folder));
  };
  EXPECT_EQ(walk(beneath_, "p", visit), 0);
  EXPECT_EQ(visited, 1);
}

TEST_F(TreeTest, RemovesAFolderOrWhatIsInIt) {
  auto temp = TempFolder::make(root_.open().get(), root_.path());
  const Disk disk(Beneath(root_.open()), *std::move(temp), Durability::relaxed);
  root_.put("p/keep/dir/a", "12");
  root_.put("p/remove/dir/a", "345");
  RemovedTree kept;
  RemovedTree removed;
  EXPECT_EQ(remove_tree(disk, "p/keep", Top::keep, kept), 0);
  EXPECT_EQ(remove_tree(disk, "p/remove", Top::remove, removed), 0);
  EXPECT_EQ(kept.bytes, 2U);
  EXPECT_EQ(removed.bytes, 3U);
  EXPECT_TRUE(root_.has("p/keep"));
  EXPECT_FALSE(root_.has("p/keep/dir"));
  EXPECT_FALSE(root_.has("p/remove"));
}

}  // namespace
}  // namespace flowstore::files::localfs
