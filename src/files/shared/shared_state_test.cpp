// Processes over one PostgreSQL, which never exceed a quota together.

#include "files/shared/shared_state.h"

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "files/memory/memory_store.h"
#include "support/postgres_session.h"
#include "support/run.h"
#include "support/watched_store.h"

namespace flowstore::files::shared {
namespace {

using postgres::comes_true;
using postgres::Session;
using postgres::TestDatabase;

ProjectKey project_of(std::string_view id) { return *ProjectKey::parse("t", id); }
FileKey key_of(std::string_view path) { return *FileKey::parse(project_of("p"), path); }

// One flowstore process, as far as its files' usage goes.
class Process {
 public:
  Process(const postgres::Options& options, FileStore& store, LedgerOptions ledger_options,
          const char* bucket = "bucket")
      : state_(*SharedState::make(options, bucket, background_.get_executor(), clock_, log_,
                                  registry_)),
        ledger_(state_->ledger(store, registry_, ledger_options)) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    background_.join();
    state_->stop();
  }

  Result<std::unique_ptr<UsageLedger::Change>> announce(
      std::int64_t difference, std::optional<std::uint64_t> quota = std::nullopt) {
    return run(ledger_->announce(project_, difference, quota));
  }
  // What a write of a file that is not there does.
  bool add(std::uint64_t bytes, std::optional<std::uint64_t> quota = std::nullopt) {
    auto change = announce(static_cast<std::int64_t>(bytes), quota);
    if (!change) return false;
    run((*change)->commit(static_cast<std::int64_t>(bytes)));
    return true;
  }
  Result<std::uint64_t> used() { return run(ledger_->used(project_)); }
  KeyLocks& locks() { return state_->locks(); }
  void stop() { state_->stop(); }
  std::string metrics() const { return registry_.text(); }

 private:
  const ProjectKey project_ = project_of("p");
  SystemClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  boost::asio::thread_pool background_{1};
  std::unique_ptr<SharedState> state_;
  std::unique_ptr<UsageLedger> ledger_;
};

class SharedLedger : public testing::Test {
 protected:
  std::unique_ptr<Process> process(LedgerOptions options = LedgerOptions()) {
    return std::make_unique<Process>(database_.options(), store_, options);
  }
  // Past the ledger.
  void put(const std::string& path, std::size_t size) {
    StringSource body(std::string(size, 'x'));
    const FileKey key = key_of(path);
    auto upload = run(store_.receive(key, body, WriteMode::replace));
    ASSERT_TRUE(upload);
    ASSERT_TRUE(run((*upload)->commit(Expected())));
  }

  TestDatabase database_;
  SystemClock clock_;
  WatchedStore store_{clock_};
};

TEST_F(SharedLedger, CountsAProjectOnceForAll) {
  put("a", 5);
  const auto one = process();
  const auto other = process();
  EXPECT_EQ(*one->used(), 5U);
  EXPECT_EQ(*other->used(), 5U);
  EXPECT_EQ(store_.walks(), 1);
}

TEST_F(SharedLedger, EachSeesWhatTheOthersDo) {
  const auto one = process();
  const auto other = process();
  EXPECT_TRUE(one->add(60, 100));
  EXPECT_EQ(*other->used(), 60U);
  EXPECT_EQ(other->announce(40, 100).error().kind(), ErrorKind::over_quota);
  EXPECT_TRUE(other->add(39, 100));
  EXPECT_EQ(*one->used(), 99U);
}

TEST_F(SharedLedger, KeepsRoomForChangesOfOthersOnTheirWay) {
  const auto one = process();
  const auto other = process();
  auto change = one->announce(60, 100);
  ASSERT_TRUE(change);
  EXPECT_FALSE(other->announce(40, 100));
  run((*change)->commit(10));  // it came out smaller
  EXPECT_EQ(*other->used(), 10U);
  EXPECT_TRUE(other->announce(89, 100));
}

TEST_F(SharedLedger, GivesTheRoomOfADroppedChangeBack) {
  const auto one = process();
  { const auto dropped = one->announce(60, 100); }
  EXPECT_TRUE(comes_true([&] { return *one->used() == 0; }));
}

TEST_F(SharedLedger, NeverRefusesWhatMakesAProjectSmaller) {
  const auto one = process();
  ASSERT_TRUE(one->add(50, 100));
  auto change = one->announce(-20, 10);
  ASSERT_TRUE(change);
  run((*change)->commit(-20));
  EXPECT_EQ(*one->used(), 30U);
}

TEST_F(SharedLedger, CountsWhatHasNoQuotaToo) {
  const auto one = process();
  EXPECT_EQ(*one->used(), 0U);
  ASSERT_TRUE(one->add(30));
  EXPECT_EQ(*one->used(), 30U);
  auto removal = one->announce(0);
  ASSERT_TRUE(removal);
  run((*removal)->commit(-30));
  EXPECT_EQ(*one->used(), 0U);
}

TEST_F(SharedLedger, WhatNobodyKnowsCountsUntilItIsLookedAt) {
  const auto one = process();
  ASSERT_TRUE(one->add(10, 100));
  put("a", 10);
  auto change = one->announce(20, 100);
  ASSERT_TRUE(change);
  run((*change)->doubt());
  EXPECT_EQ(*one->used(), 30U);
  EXPECT_TRUE(comes_true([&] { return *one->used() == 10; }));
}

TEST_F(SharedLedger, AProcessThatDiesLeavesItsChangesCounted) {
  Session session(database_.options());
  const auto one = process();
  put("a", 10);
  ASSERT_EQ(*one->used(), 10U);
  auto change = one->announce(20, 100);
  ASSERT_TRUE(change);
  // As if the process had been killed a minute ago.
  session.query("UPDATE flowstore_file_changes SET begun_at = now() - interval '61 seconds'");
  session.query("UPDATE flowstore_file_usage SET counted_at = now() - interval '1 hour'");
  const auto other = process();
  EXPECT_EQ(*other->used(), 30U);
  EXPECT_TRUE(comes_true([&] { return *other->used() == 10; }));
  run((*change)->commit(20));  // it was only slow: its row is gone, and the next count sees it
  EXPECT_EQ(*other->used(), 10U);
}

TEST_F(SharedLedger, ACountThatMeetsChangesIsNeverTooLow) {
  const auto one = process();
  Session session(database_.options());
  put("a", 10);
  ASSERT_EQ(*one->used(), 10U);
  put("b", 5);  // by somebody who does not use the ledger
  session.query("UPDATE flowstore_file_usage SET counted_at = now() - interval '1 hour'");
  auto removal = one->announce(0);
  ASSERT_TRUE(removal);
  std::optional<Turn> walk = store_.hold_walks();
  ASSERT_EQ(*one->used(), 10U);  // begins to count
  ASSERT_TRUE(comes_true([&] { return store_.walks() == 2; }));
  auto addition = one->announce(7, 100);  // on its way, neither seen nor unseen
  ASSERT_TRUE(addition);
  walk.reset();
  ASSERT_TRUE(comes_true([&] {
    return session.value(
               "SELECT count(*) FROM flowstore_file_usage "
               "WHERE counting_until IS NULL") == "1";
  }));
  EXPECT_GE(*one->used(), 17U);
  run((*removal)->commit(-10));
  run((*addition)->commit(7));
  EXPECT_GE(*one->used(), 7U);
}

TEST_F(SharedLedger, AWalkThatFailsFailsOnlyWhoNeedsIt) {
  const auto one = process();
  store_.fail_walks(true);
  EXPECT_EQ(one->used().error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(one->announce(1, 100).error().kind(), ErrorKind::unavailable);
  EXPECT_TRUE(one->announce(1));
  store_.fail_walks(false);
  EXPECT_EQ(*one->used(), 0U);
}

// Each write is made between its announcement and its end, as FileService does it.
TEST_F(SharedLedger, ProcessesTogetherNeverExceedAQuota) {
  constexpr std::uint64_t kQuota = 2'000;
  const auto one = process();
  const auto other = process();
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int id = 0; id < 6; ++id) {
    threads.emplace_back([&, id] {
      std::minstd_rand random(static_cast<unsigned>(id));
      Process& process = id % 2 == 0 ? *one : *other;
      std::size_t old_size = 0;
      for (int i = 0; i < 60; ++i) {
        const std::size_t size = random() % 500;
        const auto difference =
            static_cast<std::int64_t>(size) - static_cast<std::int64_t>(old_size);
        auto change = process.announce(difference, kQuota);
        if (!change) {
          ++refused;
          continue;
        }
        put("file" + std::to_string(id), size);
        EXPECT_LT(*run(store_.usage(project_of("p"))), kQuota);
        run((*change)->commit(difference));
        old_size = size;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(refused, 0);
  EXPECT_EQ(*one->used(), *run(store_.usage(project_of("p"))));
}

TEST_F(SharedLedger, WithoutADatabaseOnlyQuotasWait) {
  postgres::Options nowhere = database_.options();
  nowhere.port = 1;
  Process alone(nowhere, store_, LedgerOptions());
  EXPECT_EQ(alone.announce(1, 100).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(alone.announce(1, 100).error().code(), "quota_unavailable");
  EXPECT_TRUE(alone.add(1));
  EXPECT_TRUE(alone.announce(0));
  EXPECT_NE(alone.metrics().find("flowstore_quota_unrecorded_total 1\n"), std::string::npos);
}

TEST_F(SharedLedger, WithoutADatabaseALockDoesNotSpeakOfQuotas) {
  Process process(postgres::options_for(postgres_support::free_port(), "none"), store_,
                  LedgerOptions());
  const FileKey key = key_of("a");
  const auto lock = run(process.locks().take(key));
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code(), "storage_unavailable");
  process.stop();  // it would try to let go for as long as a lock lasts
}

TEST_F(SharedLedger, CountsAnewWhenTheTablesAreEmptyAgain) {
  Session session(database_.options());
  const auto one = process();
  put("a", 5);
  ASSERT_EQ(*one->used(), 5U);
  auto change = one->announce(3, 100);
  ASSERT_TRUE(change);
  session.query("TRUNCATE flowstore_file_usage, flowstore_file_changes");  // as a crash does
  put("b", 3);
  run((*change)->commit(3));
  EXPECT_EQ(*one->used(), 8U);
}

TEST_F(SharedLedger, ManyMayMakeTheTablesAtOnce) {
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 6; ++i) processes.push_back(process());
  for (const auto& each : processes) EXPECT_TRUE(each->used());
}

// A fleet that moves to another bucket, or two fleets over one database.
TEST_F(SharedLedger, BucketsAreCountedAndLockedApart) {
  const auto one = process();
  ASSERT_TRUE(one->add(99, 100));
  WatchedStore elsewhere(clock_);
  Process other(database_.options(), elsewhere, LedgerOptions(), "another");
  EXPECT_EQ(*other.used(), 0U);
  EXPECT_TRUE(other.add(50, 100));
  EXPECT_EQ(*one->used(), 99U);
  const FileKey key = key_of("a");
  const auto held = run(one->locks().take(key));
  ASSERT_TRUE(held);
  EXPECT_TRUE(run(other.locks().take(key)));
}

TEST_F(SharedLedger, LocksExcludeOtherProcesses) {
  const auto one = process();
  const auto other = process();
  const FileKey key = key_of("a");
  auto held = run(one->locks().take(key));
  ASSERT_TRUE(held);
  const FileKey beside = key_of("b");
  EXPECT_TRUE(run(other->locks().take(beside)));
  EXPECT_EQ(run(other->locks().take(key)).error().kind(), ErrorKind::unavailable);
  held->reset();
  EXPECT_TRUE(run(other->locks().take(key)));
}

TEST_F(SharedLedger, ALockOfAProcessThatDiedIsOver) {
  Session session(database_.options());
  const auto one = process();
  const auto other = process();
  const FileKey key = key_of("a");
  const auto held = run(one->locks().take(key));
  ASSERT_TRUE(held);
  session.query("UPDATE flowstore_file_locks SET expires = now() - interval '1 second'");
  EXPECT_TRUE(run(other->locks().take(key)));
}

TEST_F(SharedLedger, LocksLetOneAtATimeThrough) {
  const auto one = process();
  const auto other = process();
  std::atomic<int> inside = 0;
  std::atomic<int> collisions = 0;
  std::atomic<int> entries = 0;
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([&, id] {
      Process& process = id % 2 == 0 ? *one : *other;
      const FileKey key = key_of("a");
      for (int i = 0; i < 20; ++i) {
        const auto held = run(process.locks().take(key));
        if (!held) continue;
        if (++inside > 1) ++collisions;
        ++entries;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(collisions, 0);
  EXPECT_GT(entries, 20);
}

}  // namespace
}  // namespace flowstore::files::shared
