#include "base/suspend.h"

#include <memory>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace flowstore {
namespace {

Task<> wait_for_call(Resume& call, std::shared_ptr<int> held) {
  auto begin = [&call](Resume resume) { call = std::move(resume); };
  co_await suspend(std::move(begin));
  *held = 2;
}

TEST(Suspend, GoesOnOnTheOwnLoopWhoeverCalls) {
  boost::asio::io_context loop(1);
  std::thread other;
  std::thread::id resumed_on;
  const auto wait = [&]() -> Task<> {
    auto begin = [&](Resume resume) { other = std::thread(std::move(resume)); };
    co_await suspend(std::move(begin));
    resumed_on = std::this_thread::get_id();
  };
  boost::asio::co_spawn(loop, wait(), boost::asio::detached);
  loop.run();  // ends with the task, and not before it is resumed
  other.join();
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST(Suspend, IsNotResumedWithinBegin) {
  boost::asio::io_context loop(1);
  bool has_begun = false;
  bool was_inline = false;
  const auto wait = [&]() -> Task<> {
    auto begin = [&](const Resume& resume) {
      resume();
      has_begun = true;
    };
    co_await suspend(std::move(begin));
    was_inline = !has_begun;
  };
  boost::asio::co_spawn(loop, wait(), boost::asio::detached);
  loop.run();
  EXPECT_TRUE(has_begun);
  EXPECT_FALSE(was_inline);
}

TEST(Suspend, TakesTheTaskAlongWhenTheCallIsDropped) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> witness = held;
  boost::asio::io_context loop(1);
  Resume kept;
  boost::asio::co_spawn(loop, wait_for_call(kept, std::exchange(held, nullptr)),
                        boost::asio::detached);
  loop.poll();
  EXPECT_FALSE(witness.expired());
  kept = nullptr;
  loop.run();
  EXPECT_TRUE(witness.expired());
}

// Whoever waits for a turn, or for the disk, is known to somebody who may live longer than the
// loop.
TEST(Suspend, EndsTheTaskWithItsLoop) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> witness = held;
  Resume kept;
  {
    boost::asio::io_context loop(1);
    boost::asio::co_spawn(loop, wait_for_call(kept, std::exchange(held, nullptr)),
                          boost::asio::detached);
    loop.poll();
    EXPECT_FALSE(witness.expired());
  }
  EXPECT_TRUE(witness.expired());
  kept();
}

// A task that ends with its loop may hold what the next one waits for.
TEST(Suspend, WakesNobodyOnALoopThatEnds) {
  bool has_gone_on = false;
  Resume first;
  auto second = std::make_shared<Resume>();
  {
    boost::asio::io_context loop(1);
    struct Waker {
      explicit Waker(std::shared_ptr<Resume> next) : call(std::move(next)) {}
      Waker(const Waker&) = delete;
      Waker& operator=(const Waker&) = delete;
      ~Waker() { (*call)(); }
      std::shared_ptr<Resume> call;
    };
    const auto hold = [](Resume& keep, std::shared_ptr<Resume> next) -> Task<> {
      const Waker waker(std::move(next));
      auto begin = [&keep](Resume resume) { keep = std::move(resume); };
      co_await suspend(std::move(begin));
    };
    const auto wait = [](Resume& keep, bool& flag) -> Task<> {
      auto begin = [&keep](Resume resume) { keep = std::move(resume); };
      co_await suspend(std::move(begin));
      flag = true;
    };
    boost::asio::co_spawn(loop, hold(first, second), boost::asio::detached);
    boost::asio::co_spawn(loop, wait(*second, has_gone_on), boost::asio::detached);
    loop.poll();
  }
  EXPECT_FALSE(has_gone_on);
}

}  // namespace
}  // namespace flowstore
