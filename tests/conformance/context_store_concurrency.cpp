// Many at once: nothing is lost, and no limit is exceeded.

#include <atomic>
#include <string>

#include "conformance/context_store_conformance.h"

namespace flowstore::context {
namespace {

constexpr int kThreads = 4;
constexpr int kTasks = 8;
constexpr int kWriters = kThreads * kTasks;
constexpr int kRounds = 10;

// A coroutine that outlives its lambda's call must not refer to the lambda: run_many() keeps `work`
// until all have ended.
TEST_P(ContextStoreConformance, NoUpdateIsLost) {
  std::atomic<int> failures = 0;
  const auto increment = [](std::optional<std::string_view> present) {
    return NewValues(text_of_number(number_of(present) + 1));
  };
  const std::function<Task<>(int)> work = [&](int) -> Task<> {
    const RowKey key("p", "counter");
    for (int round = 0; round < kRounds; ++round) {
      const Status outcome = co_await store().update(caller_, key, increment, 1000);
      if (!outcome) ++failures;
    }
  };
  run_many(kThreads, kTasks, work);
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(number_of(values("counter")), kWriters * kRounds);
}

TEST_P(ContextStoreConformance, ManyProjectsWriteAtOnce) {
  std::atomic<int> failures = 0;
  const std::function<Task<>(int)> work = [&](int id) -> Task<> {
    const RowKey key("p" + std::to_string(id), "s");
    for (int round = 1; round <= kRounds; ++round) {
      const Status outcome = co_await store().replace(caller_, key, text_of_number(round), 100);
      if (!outcome) ++failures;
      // What was answered is seen by every later read.
      const auto seen = co_await store().read(caller_, key);
      if (!seen || *seen != text_of_number(round)) ++failures;
    }
  };
  run_many(kThreads, kTasks, work);
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(scopes("p0"), std::vector<std::string>{"s"});
}

TEST_P(ContextStoreConformance, TheLimitHoldsWhileManyGrow) {
  // 32 scopes want to grow to 88 characters each; there is room for about half of it.
  constexpr std::uint64_t kLimit = 1500;
  constexpr std::size_t kStep = 8;
  std::atomic<int> surprises = 0;
  std::atomic<int> refusals = 0;
  const std::function<Task<>(int)> work = [&](int id) -> Task<> {
    const RowKey key("p", "s" + std::to_string(id));
    const Mutation grow = [](std::optional<std::string_view> present) {
      return NewValues(text_of_length(present ? present->size() + kStep : kStep));
    };
    for (int round = 0; round <= kRounds; ++round) {
      const Status outcome = co_await store().update(caller_, key, grow, kLimit);
      if (outcome) continue;
      ++(outcome.error().kind() == ErrorKind::over_quota ? refusals : surprises);
    }
  };
  run_many(kThreads, kTasks, work);
  EXPECT_EQ(surprises, 0);
  EXPECT_GT(refusals, 0);
  // As full as it can be, and no fuller.
  EXPECT_LE(characters_of(), kLimit);
  EXPECT_GT(characters_of() + kStep, kLimit);
}

TEST_P(ContextStoreConformance, ReadersSeeWholeRows) {
  // Larger than a page of any database, and each of one letter.
  const auto text = [](int id) {
    return R"({"k":")" + std::string(50'000, static_cast<char>('a' + id % 26)) + R"("})";
  };
  ASSERT_TRUE(replace("s", text(0)));
  std::atomic<int> failures = 0;
  std::atomic<int> torn = 0;
  const std::function<Task<>(int)> work = [&](int id) -> Task<> {
    const RowKey key("p", "s");
    for (int round = 0; round < kRounds; ++round) {
      const Status outcome = co_await store().replace(caller_, key, text(id), std::nullopt);
      if (!outcome) ++failures;
      const auto seen = co_await store().read(caller_, key);
      if (!seen || !*seen) {
        ++failures;
      } else if (**seen != text((**seen)[6] - 'a')) {
        ++torn;
      }
    }
  };
  run_many(kThreads, kTasks, work);
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(torn, 0);
}

TEST_P(ContextStoreConformance, RowsComeAndGoWhileOthersClean) {
  std::atomic<int> failures = 0;
  const std::function<Task<>(int)> work = [&](int id) -> Task<> {
    const std::string project = "p";
    const RowKey key(project, "s" + std::to_string(id));
    const RowKey kept(project, "kept" + std::to_string(id));
    const std::function<bool(std::string_view)> is_kept = [](std::string_view scope) {
      return scope.starts_with("kept");
    };
    for (int round = 0; round < kRounds; ++round) {
      const Status written = co_await store().replace(caller_, key, text_of_length(40), 5000);
      const Status stays = co_await store().replace(caller_, kept, text_of_length(40), 5000);
      const Status cleaned = co_await store().clean(caller_, project, is_kept);
      if (!written || !stays || !cleaned) ++failures;
    }
  };
  run_many(kThreads, kTasks, work);
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(scopes().size(), static_cast<std::size_t>(kWriters));
  // The count was kept exactly: 3720 characters are free.
  EXPECT_FALSE(replace("last", text_of_length(3721), 5000));
  EXPECT_TRUE(replace("last", text_of_length(3720), 5000));
}

}  // namespace
}  // namespace flowstore::context
