#include "files/local_ledger.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "support/manual_clock.h"
#include "support/run.h"
#include "support/watched_store.h"

namespace flowstore::files {
namespace {

using std::chrono::seconds;
using MaybeUsed = std::optional<Result<std::uint64_t>>;
using MaybeChange = std::optional<Result<std::unique_ptr<UsageLedger::Change>>>;

ProjectKey project_of(std::string_view id) { return *ProjectKey::parse("t", id); }

Task<Status> store_file(FileStore& store, const FileKey& key, std::size_t size) {
  StringSource body(std::string(size, 'x'));
  FLOWSTORE_CO_TRY(const auto upload, co_await store.receive(key, body, WriteMode::replace));
  FLOWSTORE_CO_TRY_STATUS(co_await upload->commit(Expected()));
  co_return Status();
}

Task<> ask(UsageLedger& ledger, const ProjectKey& project, MaybeUsed& answer) {
  answer.emplace(co_await ledger.used(project));
}

Task<> ask_to_change(UsageLedger& ledger, const ProjectKey& project, MaybeChange& answer) {
  answer.emplace(co_await ledger.announce(project, 1, std::nullopt));
}

class LocalLedgerTest : public testing::Test {
 protected:
  // Past the ledger, as another process would.
  void put(std::string_view path, std::size_t size, const ProjectKey& project) {
    const auto key = *FileKey::parse(project, path);
    ASSERT_TRUE(run(store_file(store_, key, size)));
  }
  void put(std::string_view path, std::size_t size) { put(path, size, project_); }

  std::uint64_t used() { return *run(ledger_.used(project_)); }
  Result<std::unique_ptr<UsageLedger::Change>> announce(
      std::int64_t difference, std::optional<std::uint64_t> quota = std::nullopt) {
    return run(ledger_.announce(project_, difference, quota));
  }
  void change_by(std::int64_t difference) { run((*announce(difference))->commit(difference)); }

  // Lets what was spawned on the loop get as far as it can.
  void go_on(boost::asio::io_context& loop) {
    loop.restart();
    loop.poll();
  }
  void finish_recounts() { go_on(background_); }

  const ProjectKey project_ = project_of("p");
  ManualClock clock_;
  WatchedStore store_{clock_};
  metrics::Registry registry_;
  boost::asio::io_context loop_;
  boost::asio::io_context background_;
  LocalLedger ledger_{store_, clock_, registry_, background_.get_executor()};
};

TEST_F(LocalLedgerTest, CountsAProjectOnce) {
  put("a", 5);
  put("dir/b", 7);
  put("other", 100, project_of("p1"));
  EXPECT_EQ(used(), 12U);
  EXPECT_EQ(used(), 12U);
  EXPECT_EQ(store_.walks(), 1);
  EXPECT_NE(registry_.text().find("flowstore_quota_scans_total 1\n"), std::string::npos);
}

TEST_F(LocalLedgerTest, GoesOnWithTheDifferences) {
  put("a", 5);
  EXPECT_EQ(used(), 5U);
  change_by(10);
  change_by(-3);
  EXPECT_EQ(used(), 12U);
  EXPECT_EQ(store_.walks(), 1);
}

TEST_F(LocalLedgerTest, NeverFallsBelowZero) {
  put("a", 5);
  EXPECT_EQ(used(), 5U);
  change_by(-10);
  EXPECT_EQ(used(), 0U);
}

TEST_F(LocalLedgerTest, RefusesWhatWouldReachTheQuota) {
  struct Row {
    std::int64_t difference;
    std::uint64_t quota;
    bool is_allowed;
  };
  put("a", 50);
  for (const Row& row : {Row{49, 100, true}, Row{50, 100, false}, Row{51, 100, false},
                         Row{0, 51, true}, Row{0, 50, false}, Row{0, 10, false}}) {
    const auto change = announce(row.difference, row.quota);
    EXPECT_EQ(change.has_value(), row.is_allowed) << row.difference << " of " << row.quota;
    if (change) continue;
    EXPECT_EQ(change.error().kind(), ErrorKind::over_quota);
    EXPECT_EQ(change.error().limit(), row.quota);
  }
  EXPECT_EQ(used(), 50U);
}

TEST_F(LocalLedgerTest, NeverRefusesWhatMakesAProjectSmaller) {
  put("a", 50);
  EXPECT_TRUE(announce(-1, 10));
  EXPECT_TRUE(announce(-1, 0));
}

TEST_F(LocalLedgerTest, KeepsRoomForChangesOnTheirWay) {
  auto first = announce(60, 100);
  ASSERT_TRUE(first);
  EXPECT_FALSE(announce(40, 100));
  EXPECT_TRUE(announce(39, 100));
  run((*first)->commit(10));  // it came out smaller
  EXPECT_TRUE(announce(89, 100));
  EXPECT_FALSE(announce(90, 100));
  EXPECT_EQ(used(), 10U);
}

TEST_F(LocalLedgerTest, GivesTheRoomOfADroppedChangeBack) {
  { const auto dropped = announce(60, 100); }
  EXPECT_TRUE(announce(99, 100));
  EXPECT_EQ(used(), 0U);
}

TEST_F(LocalLedgerTest, WalksNothingWithoutAQuota) {
  put("a", 5);
  change_by(3);
  EXPECT_EQ(store_.walks(), 0);
}

TEST_F(LocalLedgerTest, AnswersManyFirstQuestionsWithOneWalk) {
  put("a", 5);
  std::optional<Turn> held = store_.hold_walks();
  std::vector<MaybeUsed> answers(3);
  for (MaybeUsed& answer : answers) {
    spawn(loop_.get_executor(), "ask", ask(ledger_, project_, answer));
  }
  go_on(loop_);
  held.reset();
  go_on(loop_);
  for (const MaybeUsed& answer : answers) {
    ASSERT_TRUE(answer && *answer);
    EXPECT_EQ(**answer, 5U);
  }
  EXPECT_EQ(store_.walks(), 1);
}

TEST_F(LocalLedgerTest, AFirstCountWaitsForChangesThatHaveBegun) {
  put("a", 5);
  auto change = announce(3);
  MaybeUsed answer;
  spawn(loop_.get_executor(), "ask", ask(ledger_, project_, answer));
  go_on(loop_);
  EXPECT_EQ(store_.walks(), 0);
  put("b", 3);
  run((*change)->commit(3));
  go_on(loop_);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ(**answer, 8U);
  EXPECT_EQ(store_.walks(), 1);
}

TEST_F(LocalLedgerTest, ChangesWaitForAFirstCount) {
  put("a", 5);
  std::optional<Turn> held = store_.hold_walks();
  MaybeUsed answer;
  spawn(loop_.get_executor(), "ask", ask(ledger_, project_, answer));
  MaybeChange change;
  spawn(loop_.get_executor(), "change", ask_to_change(ledger_, project_, change));
  go_on(loop_);
  EXPECT_FALSE(change);
  held.reset();
  go_on(loop_);
  ASSERT_TRUE(change && *change);
  run((**change)->commit(3));
  EXPECT_EQ(used(), 8U);
}

TEST_F(LocalLedgerTest, AWalkThatFailsFailsOnlyWhoNeedsIt) {
  put("a", 5);
  store_.fail_walks(true);
  EXPECT_EQ(run(ledger_.used(project_)).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(announce(1, 100).error().kind(), ErrorKind::unavailable);
  EXPECT_TRUE(announce(1));
  store_.fail_walks(false);
  EXPECT_EQ(used(), 5U);
}

TEST_F(LocalLedgerTest, AChangeWithoutQuotaGoesOnWhenTheFirstCountFails) {
  store_.fail_walks(true);
  std::optional<Turn> held = store_.hold_walks();
  MaybeUsed answer;
  spawn(loop_.get_executor(), "ask", ask(ledger_, project_, answer));
  MaybeChange change;
  spawn(loop_.get_executor(), "change", ask_to_change(ledger_, project_, change));
  go_on(loop_);
  held.reset();
  go_on(loop_);
  EXPECT_TRUE(change && *change);
  EXPECT_EQ(store_.walks(), 1);
}

TEST_F(LocalLedgerTest, SeesWhatOthersDidWhenTheCountIsOld) {
  put("a", 5);
  EXPECT_EQ(used(), 5U);
  put("b", 10);
  clock_.advance(seconds(59));
  EXPECT_EQ(used(), 5U);
  finish_recounts();
  EXPECT_EQ(used(), 5U);

  clock_.advance(seconds(1));
  EXPECT_EQ(used(), 5U);  // waits for nothing
  EXPECT_EQ(store_.walks(), 1);
  finish_recounts();
  EXPECT_EQ(used(), 15U);
  EXPECT_EQ(store_.walks(), 2);
}

TEST_F(LocalLedgerTest, AnExecutorThatRunsTasksAtOnceMayRecount) {
  put("a", 5);
  LocalLedger ledger(store_, clock_, registry_, loop_.get_executor());
  EXPECT_EQ(*run(ledger.used(project_)), 5U);
  put("b", 10);
  clock_.advance(seconds(60));
  MaybeUsed answer;
  spawn(loop_.get_executor(), "ask", ask(ledger, project_, answer));
  go_on(loop_);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ(*run(ledger.used(project_)), 15U);
}

TEST_F(LocalLedgerTest, ThrowsARecountAwayThatOverlappedAChange) {
  put("a", 5);
  EXPECT_EQ(used(), 5U);
  clock_.advance(seconds(60));
  std::optional<Turn> held = store_.hold_walks();
  EXPECT_EQ(used(), 5U);
  finish_recounts();  // has seen 5 bytes and is held
  auto change = announce(3);
  put("b", 3);
  run((*change)->commit(3));
  held.reset();
  finish_recounts();
  EXPECT_EQ(used(), 8U);

  // The next try comes soon, but not at once.
  EXPECT_EQ(store_.walks(), 2);
  put("c", 100);
  clock_.advance(seconds(10));
  EXPECT_EQ(used(), 8U);
  finish_recounts();
  EXPECT_EQ(used(), 108U);
}

TEST_F(LocalLedgerTest, ThrowsARecountAwayWhileAChangeIsOnItsWay) {
  put("a", 5);
  EXPECT_EQ(used(), 5U);
  auto change = announce(3);
  clock_.advance(seconds(60));
  EXPECT_EQ(used(), 5U);
  put("b", 3);
  finish_recounts();  // sees 8 bytes of which 3 have not been committed
  run((*change)->commit(3));
  EXPECT_EQ(used(), 8U);
}

TEST_F(LocalLedgerTest, CountsADoubtedChangeUntilItCanBeLookedAt) {
  put("a", 5);
  EXPECT_EQ(used(), 5U);
  run((*announce(100))->doubt());
  store_.fail_walks(true);  // what made the change fail is still there
  EXPECT_EQ(used(), 105U);
  finish_recounts();
  EXPECT_EQ(used(), 105U);
  finish_recounts();
  EXPECT_EQ(store_.walks(), 2);  // not at every use

  store_.fail_walks(false);
  clock_.advance(seconds(1));
  EXPECT_EQ(used(), 105U);
  finish_recounts();
  EXPECT_EQ(used(), 5U);
  EXPECT_EQ(store_.walks(), 3);
}

TEST_F(LocalLedgerTest, KeepsTheSumWhenARecountFails) {
  put("a", 5);
  EXPECT_EQ(used(), 5U);
  store_.fail_walks(true);
  clock_.advance(seconds(60));
  EXPECT_EQ(used(), 5U);
  finish_recounts();
  EXPECT_EQ(used(), 5U);
  EXPECT_EQ(store_.walks(), 2);
}

TEST_F(LocalLedgerTest, ForgetsIdleProjectsBeyondItsBound) {
  LedgerOptions options;
  options.max_projects = 64;
  LocalLedger ledger(store_, clock_, registry_, background_.get_executor(), options);
  for (int i = 0; i < 1000; ++i) {
    const ProjectKey project = project_of(std::to_string(i));
    ASSERT_TRUE(run(ledger.used(project)));
  }
  EXPECT_EQ(store_.walks(), 1000);
  for (int i = 0; i < 1000; ++i) {
    const ProjectKey project = project_of(std::to_string(i));
    ASSERT_TRUE(run(ledger.used(project)));
  }
  EXPECT_GT(store_.walks(), 1900 - 96);
}

TEST_F(LocalLedgerTest, ForgetsNoProjectThatIsChanging) {
  LedgerOptions options;
  options.max_projects = 0;
  LocalLedger ledger(store_, clock_, registry_, background_.get_executor(), options);
  const auto change = run(ledger.announce(project_, 60, 100));
  for (int i = 0; i < 200; ++i) {
    const ProjectKey other = project_of(std::to_string(i));
    ASSERT_TRUE(run(ledger.used(other)));
  }
  EXPECT_FALSE(run(ledger.announce(project_, 60, 100)));
}

void on_threads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) threads.emplace_back(work, id);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(LocalLedgerTest, ThreadsTogetherNeverReachTheQuota) {
  std::atomic<int> granted = 0;
  on_threads([&](int) {
    for (int i = 0; i < 200; ++i) {
      auto change = announce(1, 500);
      if (!change) continue;
      ++granted;
      run((*change)->commit(1));
    }
  });
  EXPECT_EQ(granted, 499);
  EXPECT_EQ(used(), 499U);
}

TEST_F(LocalLedgerTest, StaysExactWhileThreadsChangeAndCountAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const ProjectKey project = project_of("round" + std::to_string(round));
    on_threads([&](int id) {
      for (int i = 0; i < 20; ++i) {
        const std::string path = std::to_string(id) + "-" + std::to_string(i);
        auto change = run(ledger_.announce(project, 1, std::nullopt));
        put(path, 1, project);
        run((*change)->commit(1));
        // One of them asks for the sum for the first time, in the middle of the others' changes.
        if (i == 10) {
          EXPECT_TRUE(run(ledger_.used(project)));
        }
        if (id == 0 && i % 5 == 0) {
          clock_.advance(seconds(60));
          finish_recounts();
        }
      }
    });
    EXPECT_EQ(*run(ledger_.used(project)), 80U);
    EXPECT_EQ(*run(store_.usage(project)), 80U);
  }
  finish_recounts();
}

}  // namespace
}  // namespace flowstore::files
