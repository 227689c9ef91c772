#include "base/offload.h"

#include <string>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace flowstore {
namespace {

TEST(YieldSoon, IsNothingToDoForALoopWhoseTasksWaitForNoThread) {
  boost::asio::io_context loop(1);
  yield_soon_to_offloaded_work(loop);
  { const OffloadedWork done; }
  yield_soon_to_offloaded_work(loop);
  EXPECT_EQ(loop.poll(), 0U);
}

TEST(YieldSoon, ComesOnceBehindWhatIsReady) {
  boost::asio::io_context loop(1);
  const OffloadedWork work;
  std::string order;
  boost::asio::post(loop, [&] {
    yield_soon_to_offloaded_work(loop);
    yield_soon_to_offloaded_work(loop);
    order += 'a';
  });
  boost::asio::post(loop, [&] { order += 'b'; });
  EXPECT_EQ(loop.poll_one() + loop.poll_one(), 2U);
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(loop.poll(), 1U);
  loop.restart();
  yield_soon_to_offloaded_work(loop);
  EXPECT_EQ(loop.poll(), 1U);
}

}  // namespace
}  // namespace flowstore
