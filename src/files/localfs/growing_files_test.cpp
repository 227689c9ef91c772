#include "files/localfs/growing_files.h"

#include <cerrno>
#include <memory>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file_descriptor.h"
#include "files/localfs/file_io.h"
#include "files/localfs/test_root.h"

namespace flowstore::files::localfs {
namespace {

class GrowingFilesTest : public testing::Test {
 protected:
  FileDescriptor open(const std::string& path) const {
    return FileDescriptor(::open(root_.at(path).c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  }
  off_t size_of(const FileDescriptor& file) const {
    struct stat status {};
    EXPECT_EQ(files_.stat(file.get(), status), 0);
    return status.st_size;
  }
  std::unique_ptr<GrowingFiles::Growth> growth_of(const FileDescriptor& file) {
    struct stat old {};
    EXPECT_EQ(files_.stat(file.get(), old), 0);
    return std::make_unique<GrowingFiles::Growth>(files_, old);
  }

  TestRoot root_;
  GrowingFiles files_;
};

TEST_F(GrowingFilesTest, AreWhatTheyWereUntilTheyHaveGrown) {
  root_.put("a", "old");
  root_.put("b", "other");
  const FileDescriptor a = open("a");
  const FileDescriptor b = open("b");
  struct stat old {};
  ASSERT_EQ(files_.stat(a.get(), old), 0);
  auto growth = growth_of(a);
  ASSERT_EQ(write_all(a.get(), "new"), 0);
  ASSERT_EQ(write_all(b.get(), "!"), 0);
  struct stat seen {};
  ASSERT_EQ(files_.stat(a.get(), seen), 0);
  EXPECT_EQ(describe(seen).etag, describe(old).etag);
  EXPECT_EQ(size_of(b), 6);
  growth.reset();
  EXPECT_EQ(size_of(a), 6);
}

TEST_F(GrowingFilesTest, MayBeMany) {
  root_.put("a", "1");
  root_.put("b", "22");
  const FileDescriptor a = open("a");
  const FileDescriptor b = open("b");
  auto first = growth_of(a);
  const auto second = growth_of(b);
  ASSERT_EQ(write_all(a.get(), "new"), 0);
  ASSERT_EQ(write_all(b.get(), "new"), 0);
  EXPECT_EQ(size_of(a), 1);
  first.reset();
  EXPECT_EQ(size_of(a), 4);
  EXPECT_EQ(size_of(b), 2);
}

TEST_F(GrowingFilesTest, AreNotWhatCannotBeLookedAt) {
  struct stat status {};
  EXPECT_EQ(files_.stat(-1, status), EBADF);
}

}  // namespace
}  // namespace flowstore::files::localfs
