// What the memory driver promises beyond tests/conformance: its bound.

#include "files/memory/memory_store.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "support/bodies.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace flowstore::files::memory {
namespace {

class MemoryStoreTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Upload>> receive(std::string_view path, std::size_t size,
                                          WriteMode mode = WriteMode::replace) {
    StringSource body(std::string(size, 'x'));
    const auto key = key_of(path);
    return run(store_.receive(key, body, mode));
  }
  bool replace(std::string_view path, std::size_t size) {
    const auto upload = receive(path, size);
    return upload && run((*upload)->commit(Expected()));
  }
  bool append(std::string_view path, std::size_t size) {
    const auto upload = receive(path, size, WriteMode::append);
    return upload && run((*upload)->commit(Expected()));
  }
  // How many more bytes the store takes.
  std::size_t room() {
    std::size_t room = 0;
    while (receive("probe", room + 1)) ++room;
    return room;
  }

  static FileKey key_of(std::string_view path) {
    return *FileKey::parse(*ProjectKey::parse("t", "p"), path);
  }

  ManualClock clock_;
  Store store_{100, clock_};
};

TEST_F(MemoryStoreTest, HoldsUpToItsBound) {
  EXPECT_TRUE(replace("a", 60));
  EXPECT_TRUE(replace("b", 40));
  const auto more = receive("c", 1);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind(), ErrorKind::no_space);
  EXPECT_EQ(more.error().code(), "ENOSPC");
}

TEST_F(MemoryStoreTest, CountsBodiesOnTheirWay) {
  {
    const auto upload = receive("a", 60);
    ASSERT_TRUE(upload);
    EXPECT_EQ(room(), 40U);
  }
  EXPECT_EQ(room(), 100U);
}

TEST_F(MemoryStoreTest, StopsABodyWithoutEndAtTheBound) {
  PiecesSource body(std::vector<std::string>(1000, std::string(10, 'x')));
  const FileKey key = key_of("a");
  EXPECT_FALSE(run(store_.receive(key, body, WriteMode::replace)));
  EXPECT_EQ(body.pulled(), 11U);
  EXPECT_EQ(room(), 100U);
}

TEST_F(MemoryStoreTest, GivesTheBytesOfReplacedAndRemovedFilesBack) {
  ASSERT_TRUE(replace("a", 50));
  ASSERT_TRUE(replace("a", 20));
  EXPECT_EQ(room(), 80U);
  ASSERT_TRUE(append("a", 10));
  EXPECT_EQ(room(), 70U);
  ASSERT_TRUE(replace("dir/b", 30));
  const FileKey a = key_of("a");
  const FileKey dir = key_of("dir");
  ASSERT_TRUE(run(store_.remove(a, Expected())));
  EXPECT_EQ(room(), 70U);
  ASSERT_TRUE(run(store_.remove_tree(dir)));
  EXPECT_EQ(room(), 100U);
}

TEST_F(MemoryStoreTest, AWriteThatIsRefusedKeepsNothing) {
  ASSERT_TRUE(replace("a", 10));
  EXPECT_FALSE(replace("a/below", 20));
  EXPECT_FALSE(append("a/below", 20));
  EXPECT_EQ(room(), 90U);
}

TEST_F(MemoryStoreTest, DatesFilesByItsClock) {
  clock_.advance(std::chrono::hours(5));
  ASSERT_TRUE(replace("a", 1));
  const FileKey key = key_of("a");
  EXPECT_EQ(run(store_.stat(key))->modified, clock_.wall());
}

}  // namespace
}  // namespace flowstore::files::memory
