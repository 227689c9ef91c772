#include "auth/caching_verifier.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "support/manual_clock.h"
#include "support/run.h"

namespace flowstore::auth {
namespace {

using std::chrono::seconds;

Grant grant_of(std::uint64_t file_quota) {
  Grant grant;
  grant.file_quota = file_quota;
  return grant;
}

// Answers what the test says, and counts.
class ScriptedVerifier final : public TokenVerifier {
 public:
  Task<Result<Grant>> verify(std::string_view, std::string_view token) override {
    ++calls_;
    while (is_held_) {
      // Lets the other tasks of the loop run.
      const Executor executor = co_await boost::asio::this_coro::executor;
      co_await boost::asio::post(executor, boost::asio::use_awaitable);
    }
    if (throws_) throw std::runtime_error("a bug");
    if (token.starts_with("bad")) co_return token_refused();
    const std::lock_guard lock(mutex_);
    co_return answer_;
  }

  void answer(Result<Grant> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  // No question is answered while it is held.
  void hold(bool is_held) { is_held_ = is_held; }
  void throw_from_now_on() { throws_ = true; }
  int calls() const { return calls_; }

 private:
  std::atomic<int> calls_ = 0;
  std::atomic<bool> is_held_ = false;
  std::atomic<bool> throws_ = false;
  std::mutex mutex_;
  Result<Grant> answer_ = grant_of(1);  // guarded by mutex_
};

class CachingVerifierTest : public testing::Test {
 protected:
  // run() returns when background questions are answered too.
  Result<Grant> verify(std::string_view project = "p1", std::string_view token = "abc") {
    return run(cache_.verify(project, token));
  }
  void use(std::string_view project, std::string_view token) {
    static_cast<void>(verify(project, token));
  }
  bool is_granted() { return verify().has_value(); }
  std::optional<ErrorKind> error() {
    const auto grant = verify();
    if (grant) return std::nullopt;
    return grant.error().kind();
  }

  std::uint64_t requests(std::string_view result) {
    return registry_.counter("flowstore_auth_cache_requests_total", "", {{"result", result}})
        .value();
  }

  static CachingOptions options() {
    CachingOptions options;
    options.max_entries = 6400;
    return options;
  }

  ManualClock clock_;
  metrics::Registry registry_;
  ScriptedVerifier inner_;
  CachingVerifier cache_{inner_, options(), clock_, registry_};
};

TEST_F(CachingVerifierTest, AsksOncePerProjectAndToken) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(verify()->file_quota, 1U);
  EXPECT_EQ(inner_.calls(), 1);
  EXPECT_EQ(requests("miss"), 1U);
  EXPECT_EQ(requests("hit"), 2U);

  use("p2", "abc");
  use("p1", "abd");
  use("p1a", "bc");
  EXPECT_EQ(inner_.calls(), 4);
}

TEST_F(CachingVerifierTest, AsksAgainAfterTheCacheTimeHoweverOftenAGrantIsUsed) {
  ASSERT_TRUE(is_granted());
  inner_.answer(token_refused());
  clock_.advance(seconds(50));
  EXPECT_TRUE(is_granted());
  EXPECT_EQ(inner_.calls(), 1);
  clock_.advance(seconds(41));
  EXPECT_EQ(error(), ErrorKind::unauthorized);
  EXPECT_EQ(inner_.calls(), 2);
}

TEST_F(CachingVerifierTest, RefreshesAnEntryInUseBeforeItExpires) {
  ASSERT_TRUE(is_granted());
  inner_.answer(grant_of(2));
  clock_.advance(seconds(53));  // less than 60 %
  EXPECT_TRUE(is_granted());
  EXPECT_EQ(inner_.calls(), 1);

  clock_.advance(seconds(20));          // more than 80 %
  EXPECT_EQ(verify()->file_quota, 1U);  // nobody waits
  EXPECT_EQ(inner_.calls(), 2);
  EXPECT_EQ(verify()->file_quota, 2U);

  clock_.advance(seconds(53));  // beyond the time of the first check
  EXPECT_EQ(verify()->file_quota, 2U);
  EXPECT_EQ(inner_.calls(), 2);
  EXPECT_EQ(requests("miss"), 1U);
}

TEST_F(CachingVerifierTest, RefreshesDifferentEntriesAtDifferentTimes) {
  constexpr int tokens = 200;
  const auto use_all = [this] {
    for (int i = 0; i < tokens; ++i) use("p1", std::to_string(i));
  };
  use_all();
  clock_.advance(seconds(63));  // 70 %
  use_all();
  const int refreshed = inner_.calls() - tokens;
  EXPECT_GT(refreshed, tokens / 4);
  EXPECT_LT(refreshed, 3 * tokens / 4);
}

TEST_F(CachingVerifierTest, TakesARefusalAtOnceEvenFromARefresh) {
  ASSERT_TRUE(is_granted());
  inner_.answer(token_refused());
  clock_.advance(seconds(73));
  EXPECT_TRUE(is_granted());  // and asks in the background
  EXPECT_EQ(error(), ErrorKind::unauthorized);
  inner_.answer(token_unchecked());
  clock_.advance(seconds(4));
  EXPECT_EQ(error(), ErrorKind::unavailable);  // nothing stale is left
}

TEST_F(CachingVerifierTest, RemembersARefusalForAShortTime) {
  inner_.answer(token_refused());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error(), ErrorKind::unauthorized);
  EXPECT_EQ(inner_.calls(), 1);
  EXPECT_EQ(requests("negative"), 2U);
  inner_.answer(grant_of(1));
  clock_.advance(seconds(4));
  EXPECT_TRUE(is_granted());
  EXPECT_TRUE(is_granted());
  EXPECT_EQ(inner_.calls(), 2);
}

TEST_F(CachingVerifierTest, NeverRemembersThatNobodyCouldBeAsked) {
  inner_.answer(token_unchecked());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error(), ErrorKind::unavailable);
  EXPECT_EQ(inner_.calls(), 3);
  inner_.answer(grant_of(1));
  EXPECT_TRUE(is_granted());
}

TEST_F(CachingVerifierTest, GoesOnWithAnOldGrantWhileNobodyCanBeAsked) {
  ASSERT_TRUE(is_granted());
  inner_.answer(token_unchecked());
  clock_.advance(seconds(90 + 599));
  EXPECT_EQ(verify()->file_quota, 1U);
  EXPECT_EQ(inner_.calls(), 2);  // not before the platform was asked
  EXPECT_EQ(requests("stale"), 1U);

  clock_.advance(seconds(2));
  EXPECT_EQ(error(), ErrorKind::unavailable);
}

TEST_F(CachingVerifierTest, AsksSeldomWhileItGoesOnWithAnOldGrant) {
  ASSERT_TRUE(is_granted());
  inner_.answer(token_unchecked());
  clock_.advance(seconds(91));
  // Five minutes of one request each 100 ms.
  for (int i = 0; i < 3000; ++i) {
    EXPECT_TRUE(is_granted());
    clock_.advance(std::chrono::milliseconds(100));
  }
  EXPECT_GE(inner_.calls(), 30);
  EXPECT_LE(inner_.calls(), 36);
  EXPECT_EQ(requests("stale"), 3000U);
}

TEST_F(CachingVerifierTest, DoesNotMakeRequestsWaitForAPlatformThatIsKnownToBeDown) {
  ASSERT_TRUE(is_granted());
  inner_.answer(token_unchecked());
  clock_.advance(seconds(91));
  ASSERT_TRUE(is_granted());
  clock_.advance(seconds(2));
  inner_.answer(grant_of(2));
  EXPECT_EQ(verify()->file_quota, 1U);  // the old grant at once; the question runs beside it
  EXPECT_EQ(verify()->file_quota, 2U);
}

TEST_F(CachingVerifierTest, WaitsForTheAnswerWhenTheLastFailureIsLongAgo) {
  ASSERT_TRUE(is_granted());
  inner_.answer(token_unchecked());
  clock_.advance(seconds(91));
  ASSERT_TRUE(is_granted());
  inner_.answer(token_refused());
  clock_.advance(seconds(60));
  EXPECT_EQ(error(), ErrorKind::unauthorized);
}

TEST_F(CachingVerifierTest, ForgetsOldRefusalsButNoGrantWhenTokensAreGuessed) {
  ASSERT_TRUE(is_granted());
  for (int i = 0; i < 10'000; ++i) use("", "bad" + std::to_string(i));
  const int calls = inner_.calls();
  EXPECT_TRUE(is_granted());
  EXPECT_EQ(inner_.calls(), calls);
  use("", "bad0");
  EXPECT_EQ(inner_.calls(), calls + 1);
}

TEST_F(CachingVerifierTest, ForgetsTheGrantsThatAreNotUsedWhenThereAreTooMany) {
  constexpr int tokens = 20'000;
  for (int i = 0; i < tokens; ++i) {
    use("p1", std::to_string(i));
    if (i % 10 == 0) use("p1", "in use");
  }
  EXPECT_EQ(inner_.calls(), tokens + 1);  // the one in use was never forgotten
  for (int i = 0; i < 1000; ++i) use("p1", std::to_string(i));
  EXPECT_EQ(inner_.calls(), tokens + 1 + 1000);
}

TEST_F(CachingVerifierTest, AnswersEverybodyWhoWaitsWhenTheVerifierThrows) {
  inner_.throw_from_now_on();
  testing::internal::CaptureStderr();
  EXPECT_EQ(error(), ErrorKind::unavailable);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("a bug"), std::string::npos);
}

TEST_F(CachingVerifierTest, CanBeToldToRememberNothing) {
  CachingOptions none = options();
  none.cache_time = seconds(0);
  CachingVerifier cache(inner_, none, clock_, registry_);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run(cache.verify("p1", "abc")));
  EXPECT_EQ(inner_.calls(), 3);
}

Task<> verify_into(CachingVerifier& cache, std::atomic<int>& granted) {
  const auto loop = std::this_thread::get_id();
  const auto grant = co_await cache.verify("p1", "abc");
  EXPECT_EQ(std::this_thread::get_id(), loop);
  if (grant) ++granted;
}

TEST_F(CachingVerifierTest, AsksOnceForAllWhoWantToKnowAtTheSameTime) {
  constexpr int threads = 4;
  constexpr int tasks = 50;
  std::atomic<int> granted = 0;
  inner_.hold(true);
  std::vector<std::thread> loops;
  for (int i = 0; i < threads; ++i) {
    loops.emplace_back([&] {
      boost::asio::io_context loop;
      for (int j = 0; j < tasks; ++j) {
        spawn(loop.get_executor(), "test", verify_into(cache_, granted));
      }
      loop.run();
    });
  }
  while (inner_.calls() == 0) std::this_thread::yield();
  inner_.hold(false);
  for (std::thread& loop : loops) loop.join();
  EXPECT_EQ(granted, threads * tasks);
  EXPECT_EQ(inner_.calls(), 1);
  EXPECT_EQ(requests("miss"), 1U);
  EXPECT_EQ(requests("hit") + requests("joined"), static_cast<std::uint64_t>(threads * tasks - 1));
}

Task<int> count_refusals(CachingVerifier& cache, ManualClock& clock, int seed) {
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string token = (i % 5 == 0 ? "bad" : "good") + std::to_string((seed * 31 + i) % 40);
    const auto grant = co_await cache.verify("p1", token);
    EXPECT_EQ(grant.has_value(), !token.starts_with("bad"));
    if (!grant) ++refused;
    if (i % 10 == 0) clock.advance(std::chrono::milliseconds(200));
  }
  co_return refused;
}

TEST_F(CachingVerifierTest, StaysSoundUnderManyThreads) {
  std::atomic<int> refused = 0;
  std::vector<std::thread> loops;
  for (int i = 0; i < 4; ++i) {
    loops.emplace_back([&, i] { refused += run(count_refusals(cache_, clock_, i)); });
  }
  for (std::thread& loop : loops) loop.join();
  EXPECT_EQ(refused, 4 * 400);
}

TEST_F(CachingVerifierTest, AnswersTheOthersWhenTheFirstAskerIsCancelled) {
  boost::asio::io_context loop;
  boost::asio::cancellation_signal stop;
  std::atomic<int> granted_to_first = 0;
  std::atomic<int> granted_to_other = 0;
  inner_.hold(true);
  const auto ended = [](const std::exception_ptr&) {};
  boost::asio::co_spawn(loop, verify_into(cache_, granted_to_first),
                        boost::asio::bind_cancellation_slot(stop.slot(), ended));
  while (inner_.calls() == 0) loop.poll_one();
  spawn(loop.get_executor(), "other", verify_into(cache_, granted_to_other));
  stop.emit(boost::asio::cancellation_type::terminal);
  inner_.hold(false);
  loop.run();
  EXPECT_EQ(granted_to_other, 1);
  EXPECT_EQ(inner_.calls(), 1);
}

TEST_F(CachingVerifierTest, AnswersAtOnceWhatItRemembersAndNothingElse) {
  EXPECT_FALSE(cache_.verify_now("p1", "abc"));
  EXPECT_EQ(inner_.calls(), 0);
  use("p1", "abc");
  use("p1", "bad");
  ASSERT_TRUE(cache_.verify_now("p1", "abc"));
  EXPECT_EQ((**cache_.verify_now("p1", "abc")).file_quota, 1U);
  ASSERT_TRUE(cache_.verify_now("p1", "bad"));
  EXPECT_EQ(cache_.verify_now("p1", "bad")->error().kind(), ErrorKind::unauthorized);
  EXPECT_EQ(inner_.calls(), 2);
  EXPECT_EQ(requests("hit"), 2U);
  EXPECT_EQ(requests("negative"), 2U);
}

// Else nobody would: verify() does, and answers as fast.
TEST_F(CachingVerifierTest, DoesNotAnswerAtOnceWhenItIsTimeToAskAgain) {
  use("p1", "abc");
  clock_.advance(seconds(73));  // more than 80 % of the cache time
  EXPECT_FALSE(cache_.verify_now("p1", "abc"));
  EXPECT_TRUE(is_granted());
  EXPECT_EQ(inner_.calls(), 2);
  EXPECT_TRUE(cache_.verify_now("p1", "abc"));
}

}  // namespace
}  // namespace flowstore::auth
