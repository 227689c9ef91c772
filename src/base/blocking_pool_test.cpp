#include "base/blocking_pool.h"

#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "support/run.h"

namespace flowstore {
namespace {

Task<std::string> on_another_thread(BlockingPool& pool) {
  const auto mine = std::this_thread::get_id();
  auto work = [] { return std::this_thread::get_id(); };
  const auto theirs = co_await pool.run(work);
  EXPECT_NE(mine, theirs);
  EXPECT_EQ(mine, std::this_thread::get_id());
  co_return "done";
}

TEST(BlockingPool, WorksElsewhereAndResumesTheCallerAtHome) {
  BlockingPool pool(2);
  EXPECT_EQ(run(on_another_thread(pool)), "done");
}

Task<int> failing(BlockingPool& pool) {
  auto work = []() -> int { throw std::runtime_error("disk on fire"); };
  co_return co_await pool.run(work);
}

TEST(BlockingPool, ThrowsAtTheCallerWhatTheWorkThrew) {
  BlockingPool pool(1);
  EXPECT_THROW(run(failing(pool)), std::runtime_error);
}

TEST(BlockingPool, RunsShortWorkWhereItIsAskedFor) {
  BlockingPool pool(1);
  auto where = [] { return std::this_thread::get_id(); };
  EXPECT_EQ(run(pool.run_if(false, where)), std::this_thread::get_id());
  EXPECT_NE(run(pool.run_if(true, where)), std::this_thread::get_id());
}

}  // namespace
}  // namespace flowstore
