#include "files/localfs/unlogged_changes.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "files/localfs/test_root.h"

namespace flowstore::files::localfs {
namespace {

class UnloggedChangesTest : public testing::Test {
 protected:
  void make(const std::string& path) {
    UnloggedChanges::Change change(&changes_, path);
    change.was_made();
  }
  bool has(const std::string& path) const { return changes_.has(beneath_, path); }

  TestRoot root_;
  Beneath beneath_{root_.open()};
  UnloggedChanges changes_;
};

TEST_F(UnloggedChangesTest, AreKnownUntilTheLogHasBeenTold) {
  make("t/p/a");
  { const UnloggedChanges::Change failed(&changes_, "t/p/failed"); }
  EXPECT_TRUE(has("t/p/a"));
  EXPECT_FALSE(has("t/p/a/below"));
  EXPECT_FALSE(has("t/p"));
  EXPECT_FALSE(has("t/p/failed"));
  changes_.forget("t/p/a");
  EXPECT_FALSE(has("t/p/a"));
}

TEST_F(UnloggedChangesTest, OfAFolderAreWhatIsNoLongerThere) {
  root_.put("t/p/folder/new", "written since");
  make("t/p/folder/");
  EXPECT_TRUE(has("t/p/folder/gone"));
  EXPECT_TRUE(has("t/p/folder/below/gone"));
  EXPECT_FALSE(has("t/p/folder/new"));
  EXPECT_FALSE(has("t/p/folders"));
  changes_.forget_all();
  EXPECT_FALSE(has("t/p/folder/gone"));
}

TEST_F(UnloggedChangesTest, WaitForThePauseAndItForThem) {
  const auto give_way = [] {
    for (int turn = 0; turn < 1000; ++turn) std::this_thread::yield();
  };
  const std::string path = "t/p/a";
  std::optional<UnloggedChanges::Change> first;
  first.emplace(&changes_, path);
  std::atomic<int> steps{0};
  int paused = 0;
  int resumed = 0;
  int second = 0;
  std::thread pausing([&] {
    ++steps;
    std::optional<UnloggedChanges::Pause> pause;
    pause.emplace(changes_);
    paused = ++steps;
    std::thread changing([&] {
      const UnloggedChanges::Change change(&changes_, path);
      second = ++steps;
    });
    give_way();
    resumed = ++steps;
    pause.reset();
    changing.join();
  });
  while (steps == 0) std::this_thread::yield();
  give_way();
  const int ended = ++steps;
  first.reset();
  pausing.join();
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(paused, 3);
  EXPECT_EQ(resumed, 4);
  EXPECT_EQ(second, 5);
}

}  // namespace
}  // namespace flowstore::files::localfs
