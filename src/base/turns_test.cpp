#include "base/turns.h"

#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace flowstore {
namespace {

using boost::asio::io_context;

Task<> hold(io_context& loop, Turns& turns, std::string name, int id, std::vector<int>& order) {
  const Turn turn = co_await turns.take(std::move(name));
  order.push_back(id);
  boost::asio::steady_timer pause(loop, std::chrono::milliseconds(1));
  co_await pause.async_wait(boost::asio::use_awaitable);
  order.push_back(id);
}

TEST(Turns, GivesOneNameToOneTaskAtATimeInOrder) {
  io_context loop;
  Turns turns;
  std::vector<int> order;
  for (int id = 0; id < 3; ++id) spawn(loop.get_executor(), "t", hold(loop, turns, "a", id, order));
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{0, 0, 1, 1, 2, 2}));
}

TEST(Turns, LetsDifferentNamesGoTogether) {
  io_context loop;
  Turns turns;
  std::vector<int> order;
  spawn(loop.get_executor(), "t", hold(loop, turns, "a", 0, order));
  spawn(loop.get_executor(), "t", hold(loop, turns, "b", 1, order));
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 0, 1}));
}

Task<> count(Turns& turns, int& unguarded) {
  for (int i = 0; i < 200; ++i) {
    const Turn turn = co_await turns.take("counter");
    ++unguarded;
  }
}

TEST(Turns, ExcludesTasksOfOtherThreads) {
  Turns turns;
  int unguarded = 0;
  std::vector<std::unique_ptr<io_context>> loops;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    loops.push_back(std::make_unique<io_context>(1));
    for (int j = 0; j < 8; ++j) spawn(loops.back()->get_executor(), "t", count(turns, unguarded));
  }
  for (auto& loop : loops) threads.emplace_back([&loop] { loop->run(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(unguarded, 4 * 8 * 200);
}

}  // namespace
}  // namespace flowstore
