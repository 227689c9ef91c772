// A file system of its own in the middle of a project, as operators mount one. It is small, so that
// it is really full.

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/localfs/disk.h"
#include "files/localfs/file_io.h"
#include "files/localfs/listing.h"
#include "files/localfs/test_root.h"
#include "files/localfs/tree.h"

namespace flowstore::files::localfs {
namespace {

constexpr std::size_t kMountBytes = 1 << 20;

// Mounts an empty file system that only this thread sees, until it ends; 0 or errno.
int mount_small(const std::string& at) {
  if (::unshare(CLONE_NEWNS) != 0) return errno;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  const std::string size = "size=" + std::to_string(kMountBytes);
  return ::mount("small", at.c_str(), "tmpfs", 0, size.c_str()) == 0 ? 0 : errno;
}

class MountsTest : public testing::TestWithParam<Durability> {
 protected:
  // Makes the disk and runs `act` where t/p/mount is another file system. Only root may mount.
  void run_with_mount(const std::function<void()>& act) {
    std::filesystem::create_directories(root_.at("t/p/mount"));
    int error = 0;
    std::thread mounted([&] {
      error = mount_small(root_.at("t/p/mount"));
      if (error != 0) return;
      auto temp = TempFolder::make(root_.open().get(), root_.path());
      disk_.emplace(Beneath(root_.open()), *std::move(temp), GetParam());
      act();
      disk_.reset();
    });
    mounted.join();
    if (error != 0) GTEST_SKIP() << "cannot mount: " << std::strerror(error);
  }

  TempFile body(const std::string& bytes) {
    int error = 0;
    TempFile file = disk_->temp().create(error);
    if (error == 0) error = write_all(file.file(), bytes);
    EXPECT_EQ(error, 0);
    return file;
  }
  Outcome<WriteResult> replace(const std::string& path, const std::string& bytes) {
    return disk_->replace(path, body(bytes));
  }

  TestRoot root_;
  std::optional<Disk> disk_;
};

INSTANTIATE_TEST_SUITE_P(Both, MountsTest, testing::Values(Durability::strict, Durability::relaxed),
                         [](const auto& durability) {
                           const bool is_strict = durability.param == Durability::strict;
                           return is_strict ? "Strict" : "Relaxed";
                         });

TEST_P(MountsTest, AreWrittenLikeAnyFolder) {
  run_with_mount([&] {
    EXPECT_TRUE(replace("t/p/mount/dir/a", "first").value);
    EXPECT_EQ(::chmod(root_.at("t/p/mount/dir/a").c_str(), 0640), 0);
    const auto replaced = replace("t/p/mount/dir/a", "second");
    EXPECT_TRUE(replaced.value && replaced.value->replaced_bytes == 5) << replaced.error;
    EXPECT_TRUE(disk_->append("t/p/mount/dir/a", " and").value);
    EXPECT_TRUE(disk_->append("t/p/mount/dir/a", body(" third")).value);
    EXPECT_EQ(root_.get("t/p/mount/dir/a"), "second and third");
    struct stat status {};
    EXPECT_EQ(::stat(root_.at("t/p/mount/dir/a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0640U);
    EXPECT_EQ(root_.files_below("t"), std::vector<std::string>{"a"});
    EXPECT_EQ(root_.temporary_files(), 0U);
  });
}

TEST_P(MountsTest, AFullOneKeepsTheOldFiles) {
  run_with_mount([&] {
    const std::string old(100'000, 'o');
    const std::string more(kMountBytes, 'n');
    root_.put("t/p/mount/a", old);
    EXPECT_EQ(replace("t/p/mount/a", more).error, ENOSPC);
    EXPECT_EQ(disk_->append("t/p/mount/a", more).error, ENOSPC);
    EXPECT_EQ(disk_->append("t/p/mount/a", body(more)).error, ENOSPC);
    EXPECT_EQ(replace("t/p/mount/new", more).error, ENOSPC);
    EXPECT_EQ(disk_->append("t/p/mount/new", more).error, ENOSPC);
    EXPECT_TRUE(root_.get("t/p/mount/a") == old);
    EXPECT_EQ(root_.files_below("t"), std::vector<std::string>{"a"});
    EXPECT_EQ(root_.temporary_files(), 0U);
    // The room of what was refused is free again.
    EXPECT_TRUE(replace("t/p/mount/b", std::string(kMountBytes / 2, 'b')).value);
  });
}

TEST_P(MountsTest, CountInListingsAndSums) {
  run_with_mount([&] {
    root_.put("t/p/a", "1");
    root_.put("t/p/mount/dir/b", "22");
    std::map<std::string, std::uint64_t> files;
    const Visit visit = [&](const std::string& name, const struct stat& status) {
      files[name] = static_cast<std::uint64_t>(status.st_size);
    };
    EXPECT_EQ(walk(disk_->root(), "t/p", visit), 0);
    EXPECT_EQ(files, (std::map<std::string, std::uint64_t>{{"a", 1}, {"mount/dir/b", 2}}));
    Listing listing;
    EXPECT_EQ(list_folder(disk_->root(), "t/p", ListOptions(), listing), 0);
    EXPECT_EQ(listing.entries.size(), 2U);
  });
}

TEST_P(MountsTest, AreEmptiedAndStay) {
  run_with_mount([&] {
    root_.put("t/p/mount/dir/b", "22");
    RemovedTree removed;
    EXPECT_EQ(remove_tree(*disk_, "t/p", Top::keep, removed), 0);
    EXPECT_EQ(removed.bytes, 2U);
    EXPECT_FALSE(root_.has("t/p/mount/dir"));
    EXPECT_TRUE(root_.has("t/p/mount"));
  });
}

}  // namespace
}  // namespace flowstore::files::localfs
