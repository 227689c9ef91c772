#include "api/project_gate.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace flowstore::api {
namespace {

using boost::asio::io_context;
using std::chrono::milliseconds;

ProjectGate::Bounds bounds(std::size_t under_way) {
  ProjectGate::Bounds bounds;
  bounds.under_way = under_way;
  bounds.patience = std::chrono::minutes(10);  // tests that wait in vain say so themselves
  return bounds;
}

class Gate : public testing::Test {
 protected:
  // Enters, notes its number, and keeps the pass in `passes` until the test lets it go.
  Task<> enter(ProjectGate& gate, std::string project, int number) {
    auto pass = co_await gate.enter(project, caller);
    if (!pass) {
      refused.push_back(pass.error().kind());
      co_return;
    }
    entered.push_back(number);
    passes.push_back(std::make_unique<ProjectGate::Pass>(*std::move(pass)));
  }
  void start(ProjectGate& gate, const std::string& project, int number) {
    spawn(loop.get_executor(), "enter", enter(gate, project, number));
    settle();
  }
  void settle() {
    loop.restart();
    loop.poll();
  }
  void let_go(std::size_t index) {
    passes[index].reset();
    settle();
  }
  std::uint64_t count(std::string_view name) { return registry.counter(name, "").value(); }

  metrics::Registry registry;
  Caller caller;
  std::vector<int> entered;
  std::vector<ErrorKind> refused;
  std::vector<std::unique_ptr<ProjectGate::Pass>> passes;
  io_context loop;
};

TEST_F(Gate, CallsThoseWhoWaitInTheOrderInWhichTheyCame) {
  ProjectGate gate(bounds(2), registry);
  for (int number = 0; number < 5; ++number) start(gate, "p", number);
  EXPECT_EQ(entered, (std::vector<int>{0, 1}));
  let_go(1);
  EXPECT_EQ(entered, (std::vector<int>{0, 1, 2}));
  let_go(0);
  let_go(2);
  EXPECT_EQ(entered, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(count("flowstore_project_waits_total"), 3u);
  EXPECT_EQ(count("flowstore_project_refusals_total"), 0u);
  passes.clear();
}

TEST_F(Gate, NeverMakesAnotherProjectWait) {
  ProjectGate gate(bounds(1), registry);
  for (int number = 0; number < 3; ++number) start(gate, "loud", number);
  start(gate, "quiet", 9);
  EXPECT_EQ(entered, (std::vector<int>{0, 9}));
  while (!passes.empty()) {
    passes.erase(passes.begin());
    settle();
  }
  EXPECT_EQ(entered, (std::vector<int>{0, 9, 1, 2}));
}

TEST_F(Gate, LetsInAtOnceAsLongAsNobodyHasToWait) {
  ProjectGate gate(bounds(1), registry);
  {
    const auto pass = gate.enter_now("p");
    ASSERT_TRUE(pass);
    EXPECT_FALSE(gate.enter_now("p"));
    EXPECT_TRUE(gate.enter_now("other"));
  }
  EXPECT_TRUE(gate.enter_now("p"));
  EXPECT_EQ(count("flowstore_project_waits_total"), 0u);
}

TEST_F(Gate, LetsNobodySlipInBeforeThoseWhoWait) {
  ProjectGate gate(bounds(1), registry);
  start(gate, "p", 0);
  start(gate, "p", 1);
  passes[0].reset();
  EXPECT_FALSE(gate.enter_now("p"));
  settle();
  EXPECT_EQ(entered, (std::vector<int>{0, 1}));
  passes.clear();
}

TEST_F(Gate, LetsEverybodyInWhereThereIsNoLimit) {
  ProjectGate gate(bounds(0), registry);
  for (int number = 0; number < 100; ++number) start(gate, "p", number);
  EXPECT_EQ(entered.size(), 100u);
}

TEST_F(Gate, RefusesAtOnceWhenTooManyWait) {
  auto few = bounds(1);
  few.waiting = 2;
  ProjectGate gate(few, registry);
  for (int number = 0; number < 4; ++number) start(gate, "p", number);
  EXPECT_EQ(refused, std::vector<ErrorKind>{ErrorKind::unavailable});
  EXPECT_EQ(count("flowstore_project_refusals_total"), 1u);
  let_go(0);
  start(gate, "p", 4);
  EXPECT_EQ(refused.size(), 1u);
  while (!passes.empty()) {
    passes.erase(passes.begin());
    settle();
  }
  EXPECT_EQ(entered, (std::vector<int>{0, 1, 2, 4}));
}

TEST_F(Gate, RefusesWhoeverWaitedForTooLongAndGoesOnWithTheOthers) {
  auto short_patience = bounds(1);
  short_patience.patience = milliseconds(1);
  ProjectGate gate(short_patience, registry);
  start(gate, "p", 0);
  spawn(loop.get_executor(), "enter", enter(gate, "p", 1));
  loop.restart();
  loop.run();
  EXPECT_EQ(refused, std::vector<ErrorKind>{ErrorKind::unavailable});
  let_go(0);
  start(gate, "p", 2);
  EXPECT_EQ(entered, (std::vector<int>{0, 2}));
  passes.clear();
}

TEST_F(Gate, GivesUpForACallerWhoHasLeft) {
  ProjectGate gate(bounds(1), registry);
  start(gate, "p", 0);
  spawn(loop.get_executor(), "enter", enter(gate, "p", 1));
  caller.leave();
  loop.restart();
  loop.run();
  EXPECT_EQ(refused, std::vector<ErrorKind>{ErrorKind::aborted});
  EXPECT_EQ(count("flowstore_project_refusals_total"), 0u);
  passes.clear();
}

TEST_F(Gate, PassesTheCallOnWhenATaskIsDroppedWhileItWaits) {
  ProjectGate gate(bounds(1), registry);
  start(gate, "p", 0);
  auto doomed = std::make_unique<io_context>();
  for (int number = 1; number < 3; ++number) {
    spawn(doomed->get_executor(), "enter", enter(gate, "p", number));
  }
  doomed->poll();
  start(gate, "p", 3);
  // The first of the doomed is called, and dies before it hears of it.
  passes[0].reset();
  doomed.reset();
  settle();
  EXPECT_EQ(entered, (std::vector<int>{0, 3}));
  passes.clear();
}

TEST_F(Gate, KeepsToTheBoundAcrossThreads) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 8;
  constexpr int kRounds = 200;
  constexpr std::size_t kBound = 3;
  ProjectGate gate(bounds(kBound), registry);
  std::atomic<std::size_t> under_way{0};
  std::atomic<std::size_t> most{0};
  std::atomic<int> done{0};
  const std::string project = "p";
  const auto work = [&]() -> Task<> {
    for (int i = 0; i < kRounds; ++i) {
      const auto pass = co_await gate.enter(project, caller);
      if (!pass) continue;
      const std::size_t now = ++under_way;
      if (now > most) most = now;
      const Executor executor = co_await boost::asio::this_coro::executor;
      co_await boost::asio::post(executor, boost::asio::use_awaitable);
      --under_way;
      ++done;
    }
  };
  std::vector<std::unique_ptr<io_context>> loops;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    loops.push_back(std::make_unique<io_context>(1));
    for (int j = 0; j < kTasks; ++j) spawn(loops.back()->get_executor(), "work", work());
  }
  for (auto& one : loops) threads.emplace_back([&one] { one->run(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, kThreads * kTasks * kRounds);
  EXPECT_LE(most, kBound);
}

}  // namespace
}  // namespace flowstore::api
