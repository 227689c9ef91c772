#include "tools/side_by_side.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/pause.h"
#include "support/run.h"

namespace flowstore::tools {
namespace {

TEST(SideBySide, EndsWhereNothingHasToWait) {
  std::vector<std::size_t> seen;
  auto work = [&](std::size_t at) -> Task<> {
    seen.push_back(at);
    co_return;
  };
  run(side_by_side(5, 2, work));
  EXPECT_EQ(seen.size(), 5U);
}

TEST(SideBySide, DoesNothingWithoutWork) {
  auto work = [](std::size_t) -> Task<> { co_return; };
  run(side_by_side(0, 8, work));
}

TEST(SideBySide, RunsSoManyAtATime) {
  std::size_t running = 0;
  std::size_t most = 0;
  std::size_t ended = 0;
  auto work = [&](std::size_t) -> Task<> {
    most = std::max(most, ++running);
    co_await sleep_for(std::chrono::milliseconds(1));
    --running;
    ++ended;
  };
  run(side_by_side(20, 4, work));
  EXPECT_EQ(most, 4U);
  EXPECT_EQ(ended, 20U);
}

}  // namespace
}  // namespace flowstore::tools
