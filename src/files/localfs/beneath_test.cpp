#include "files/localfs/beneath.h"

#include <atomic>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "files/localfs/test_root.h"

namespace flowstore::files::localfs {
namespace {

constexpr int kRead = O_RDONLY | O_NONBLOCK;

// In both ways, which must answer alike.
class BeneathTest : public testing::TestWithParam<Resolution> {
 protected:
  void link(const std::string& target, const std::string& path) {
    ASSERT_EQ(::symlink(target.c_str(), root_.at(path).c_str()), 0);
  }
  int error_of(const std::string& path, int flags = kRead) {
    return beneath_.open(path, flags).error;
  }

  TestRoot root_;
  Beneath beneath_{root_.open(), GetParam()};
};

TEST_P(BeneathTest, OpensFilesAndFolders) {
  root_.put("a/b/file", "hello");
  const Opened file = beneath_.open("a/b/file", kRead);
  ASSERT_EQ(file.error, 0);
  char bytes[8] = {};
  EXPECT_EQ(::read(file.file.get(), bytes, sizeof(bytes)), 5);
  EXPECT_STREQ(bytes, "hello");
  EXPECT_EQ(error_of("a/b", O_RDONLY | O_DIRECTORY), 0);
  EXPECT_EQ(error_of("a", O_PATH), 0);
}

TEST_P(BeneathTest, SaysWhyNot) {
  root_.put("a/file", "");
  EXPECT_EQ(error_of("a/no"), ENOENT);
  EXPECT_EQ(error_of("no/file"), ENOENT);
  EXPECT_EQ(error_of("a/file/x"), ENOTDIR);
  EXPECT_EQ(error_of("a/file", O_RDONLY | O_DIRECTORY), ENOTDIR);
  EXPECT_EQ(error_of(std::string(256, 'x')), ENAMETOOLONG);
  EXPECT_EQ(error_of("a", O_WRONLY), EISDIR);
}

TEST_P(BeneathTest, FollowsNoLinkAtAnyLevel) {
  const TestRoot outside;
  outside.put("p/dir/secret", "secret");
  root_.put("t/p/dir/file", "mine");
  link(outside.path(), "t-link");
  link(outside.at("p"), "t/p-link");
  link(outside.at("p/dir"), "t/p/dir-link");
  link(outside.at("p/dir/secret"), "t/p/dir/file-link");
  // Those that stay inside are no better: somebody may turn them.
  link("file", "t/p/dir/inner-link");
  link("dir", "t/p/inner-dir-link");
  link("/proc/self/root", "t/p/magic-link");
  for (const char* path :
       {"t-link/p/dir/secret", "t/p-link/dir/secret", "t/p/dir-link/secret", "t/p/dir/file-link",
        "t/p/dir/inner-link", "t/p/inner-dir-link/file", "t/p/magic-link/etc/passwd"}) {
    EXPECT_EQ(error_of(path), ELOOP) << path;
    EXPECT_EQ(error_of(path, O_PATH), ELOOP) << path;
    EXPECT_EQ(error_of(path, O_WRONLY), ELOOP) << path;
  }
  for (const char* folder : {"t-link", "t/p-link", "t/p/dir-link", "t/p/inner-dir-link"}) {
    EXPECT_EQ(error_of(folder, O_RDONLY | O_DIRECTORY), ELOOP) << folder;
  }
}

TEST_P(BeneathTest, ALinkThatComesBetweenLeadsNowhere) {
  const TestRoot outside;
  outside.put("file", "secret");
  root_.put("t/dir/file", "mine");
  link(outside.path(), "t/link");
  std::atomic<bool> is_done = false;
  // Swaps the folder and the link as fast as it can.
  std::thread swapper([&] {
    const FileDescriptor folder(::open(root_.at("t").c_str(), O_RDONLY | O_DIRECTORY));
    while (!is_done) ::renameat2(folder.get(), "dir", folder.get(), "link", RENAME_EXCHANGE);
  });
  int opened = 0;
  int refused = 0;
  int leaked = 0;
  for (int round = 0; round < 20'000; ++round) {
    const Opened file = beneath_.open("t/dir/file", kRead);
    char first = 0;
    if (file.error != 0) {
      ++refused;
    } else if (::read(file.file.get(), &first, 1) == 1 && first == 'm') {
      ++opened;
    } else {
      ++leaked;
    }
  }
  is_done = true;
  swapper.join();
  EXPECT_EQ(leaked, 0);
  EXPECT_EQ(opened + refused, 20'000);
}

TEST_P(BeneathTest, DoesNotWaitForTheOtherEndOfAFifo) {
  ASSERT_EQ(::mkfifo(root_.at("fifo").c_str(), 0600), 0);
  EXPECT_EQ(error_of("fifo", O_RDONLY | O_NONBLOCK), 0);
  EXPECT_EQ(error_of("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
}

TEST_P(BeneathTest, AnswersFromMemoryOrSaysThatItCannot) {
  root_.put("a/file", "hello");
  ASSERT_EQ(error_of("a/file"), 0);  // now the kernel knows it
  const int error = beneath_.open_cached("a/file", kRead).error;
  if (beneath_.is_componentwise()) {
    EXPECT_EQ(error, EAGAIN);
  } else {
    EXPECT_TRUE(error == 0 || error == EAGAIN) << error;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, BeneathTest,
                         testing::Values(Resolution::automatic, Resolution::componentwise),
                         [](const auto& resolution) {
                           const bool is_automatic = resolution.param == Resolution::automatic;
                           return is_automatic ? "Automatic" : "Componentwise";
                         });

TEST(SplitPath, TakesTheLastPartOff) {
  EXPECT_EQ(split_path("a/b/c").parent, "a/b");
  EXPECT_EQ(split_path("a/b/c").name, "c");
  EXPECT_EQ(split_path("a").parent, "");
  EXPECT_EQ(split_path("a").name, "a");
}

}  // namespace
}  // namespace flowstore::files::localfs
