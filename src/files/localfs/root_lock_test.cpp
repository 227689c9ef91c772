#include "files/localfs/root_lock.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "files/localfs/test_root.h"

namespace flowstore::files::localfs {
namespace {

using std::chrono::seconds;

// The name of a guest that is not `other`.
std::string wait_for_guest(const TestRoot& root, const std::string& other = {}) {
  const auto end = std::chrono::steady_clock::now() + seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    for (const auto& entry : std::filesystem::directory_iterator(root.at("guests"))) {
      if (entry.path().filename() != other) return entry.path().filename();
    }
    std::this_thread::yield();
  }
  return {};
}

// Each lock is of an open file, so two in one process are as two processes.
TEST(RootLock, AGuestThatWasTakenForDeadMakesItselfKnownAgain) {
  const TestRoot root;
  RootLock first;
  ASSERT_EQ(first.take(root.open().get(), seconds(0)), 0);
  ASSERT_EQ(first.hold(), RootLock::Hold::alone);
  RootLock second;
  int error = -1;
  std::thread guest([&] { error = second.take(root.open().get(), seconds(20)); });
  const std::string taken_for_dead = wait_for_guest(root);
  std::filesystem::remove(root.at("guests/" + taken_for_dead));
  EXPECT_NE(wait_for_guest(root, taken_for_dead), "");
  first.share();
  guest.join();
  EXPECT_EQ(error, 0);
  EXPECT_EQ(second.hold(), RootLock::Hold::shared);
  EXPECT_FALSE(first.has_guests());
}

}  // namespace
}  // namespace flowstore::files::localfs
