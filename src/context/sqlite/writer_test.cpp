#include "context/sqlite/writer.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "context/sqlite/test_store.h"

namespace flowstore::context::sqlite {
namespace {

using std::chrono::milliseconds;

// How the tests make many wait at once: another process holds the file meanwhile.
class SqliteWriter : public StoreTest {
 protected:
  void hold() {
    join(other_);
    ASSERT_EQ(other_.run("BEGIN IMMEDIATE"), 0);
  }
  void let_go() { ASSERT_EQ(other_.run("COMMIT"), 0); }

  // Writes, and counts how it went.
  Task<> write(std::string project, std::string scope, std::string values,
               CharacterLimit limit = std::nullopt) {
    const RowKey key(std::move(project), std::move(scope));
    const NewValues given(std::move(values));
    count(co_await store_->replace(caller_, key, given, limit));
  }
  void count(const Status& outcome) {
    if (outcome) {
      ++written_;
      return;
    }
    switch (outcome.error().kind()) {
      case ErrorKind::over_quota:
        ++over_quota_;
        break;
      case ErrorKind::unavailable:
        ++unavailable_;
        break;
      default:
        ADD_FAILURE() << outcome.error().message();
    }
  }

  Connection other_;
  int written_ = 0;
  int over_quota_ = 0;
  int unavailable_ = 0;
};

TEST_F(SqliteWriter, WritesManyRequestsInOneTransaction) {
  ASSERT_TRUE(open());
  hold();
  const auto work = [this](int i) { return write("project" + std::to_string(i), "global", "{}"); };
  run_all(200, work, [this] { let_go(); });
  EXPECT_EQ(written_, 200);
  // The first transaction may have begun with any number of them.
  EXPECT_LE(metric("flowstore_context_batch_size_count"), 5);
  EXPECT_EQ(metric("flowstore_context_batch_size_sum"), 200);
  EXPECT_EQ(metric("flowstore_context_commit_duration_seconds_count"),
            metric("flowstore_context_batch_size_count"));
  EXPECT_EQ(metric("flowstore_context_queue_length"), 0);
}

TEST_F(SqliteWriter, LargeRequestsShareSmallerTransactions) {
  ASSERT_TRUE(open());
  hold();
  // Half of them say how large they are before, half turn out to be.
  const auto update = [this](std::string scope) -> Task<> {
    const RowKey key("p", std::move(scope));
    const Mutation grow = [](auto) { return NewValues(text_of(500'000)); };
    count(co_await store_->update(caller_, key, grow, std::nullopt));
  };
  const auto work = [&](int i) {
    const std::string scope = "s" + std::to_string(i);
    return i % 2 == 0 ? write("p", scope, text_of(500'000)) : update(scope);
  };
  run_all(40, work, [this] { let_go(); });
  EXPECT_EQ(written_, 40);
  EXPECT_GE(metric("flowstore_context_batch_size_count"), 40 / 5);
  EXPECT_EQ(metric("flowstore_context_batch_size_sum"), 40);
}

TEST_F(SqliteWriter, AnswersTheOthersWhenOneOfABatchIsRefused) {
  ASSERT_TRUE(open());
  hold();
  const auto work = [this](int i) {
    return write("p", "s" + std::to_string(i), text_of(i % 3 == 0 ? 500 : 10), 450);
  };
  run_all(60, work, [this] { let_go(); });
  EXPECT_EQ(over_quota_, 20);
  EXPECT_EQ(written_, 40);
  EXPECT_EQ(sql("SELECT COUNT(*) FROM Contexts"), "40");
}

TEST_F(SqliteWriter, AnswersTheOthersWhenOneOfABatchCannotBeWritten) {
  ASSERT_TRUE(open());
  // A rule of somebody else, in place of a disk that has room for the small ones only.
  sql("CREATE TRIGGER no_large BEFORE INSERT ON Contexts WHEN LENGTH(NEW.`values`) > 100"
      " BEGIN SELECT RAISE(ABORT, 'too large'); END");
  ASSERT_TRUE(put("size", text_of(50), 1000)) << "the size of the project is known";
  hold();
  int broken = 0;
  const auto work = [&](int i) -> Task<> {
    const RowKey key("p", "s" + std::to_string(i));
    const NewValues values(text_of(i % 3 == 0 ? 101 : 10));
    const Status outcome = co_await store_->replace(caller_, key, values, 1000);
    ++(outcome ? written_ : broken);
  };
  run_all(60, work, [this] { let_go(); });
  EXPECT_EQ(broken, 20);
  EXPECT_EQ(written_, 40);
  EXPECT_EQ(sql("SELECT SUM(LENGTH(`values`)) FROM Contexts"), "450");
  sql("DROP TRIGGER no_large");
  EXPECT_FALSE(put("last", text_of(551), 1000)) << "what was rolled back does not count";
  EXPECT_TRUE(put("last", text_of(550), 1000));
}

TEST_F(SqliteWriter, GivesUpInTimeWhileAnotherProcessHoldsTheFile) {
  options_.patience = milliseconds(300);
  ASSERT_TRUE(open());
  hold();
  // More than one transaction could hold: those behind have to be answered as well, and nothing but
  // that ends this.
  run_all(500, [this](int i) { return write("project" + std::to_string(i % 7), "s", "{}"); });
  EXPECT_EQ(unavailable_, 500);
  let_go();
  options_.patience = std::chrono::seconds(60);
  ASSERT_TRUE(open());
  EXPECT_TRUE(put("a", "{}"));
  EXPECT_EQ(sql("SELECT COUNT(*) FROM Contexts"), "1");
  EXPECT_NE(log().find("the context database cannot be written"), std::string::npos);
}

TEST_F(SqliteWriter, RecoversWhenAnotherProcessLetsGo) {
  options_.patience = milliseconds(300);
  ASSERT_TRUE(open());
  hold();
  const Status status = put("a", "{}");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::unavailable);
  let_go();
  Status again = put("a", "{}");
  while (!again) again = put("a", "{}");  // if this machine sleeps for longer than the patience
  EXPECT_EQ(get("a"), "{}");
}

TEST_F(SqliteWriter, CallersWhoLeaveDoNotWaitForTheirTurn) {
  ASSERT_TRUE(open());
  hold();
  Caller gone;
  int aborted = 0;
  const auto work = [&](int i) -> Task<> {
    const RowKey key("p", "s" + std::to_string(i));
    const Status outcome = co_await store_->replace(gone, key, NewValues("{}"), std::nullopt);
    if (!outcome && outcome.error().kind() == ErrorKind::aborted) ++aborted;
  };
  // The file stays in the hands of the other process until all have been answered.
  run_all(100, work, [&gone] { gone.leave(); });
  EXPECT_EQ(aborted, 100);
  let_go();
  EXPECT_EQ(sql("SELECT COUNT(*) FROM Contexts"), "0");
}

TEST_F(SqliteWriter, AProjectThatWritesTooMuchIsRefusedAlone) {
  ASSERT_TRUE(open());
  hold();
  // 1024 wait, 64 may be on their way.
  const auto work = [this](int i) {
    return i < 1500 ? write("greedy", "s" + std::to_string(i), "{}") : write("modest", "s", "{}");
  };
  run_all(1501, work, [this] { let_go(); });
  EXPECT_GE(unavailable_, 1500 - 1024 - 64);
  EXPECT_LE(unavailable_, 1500 - 1024);
  EXPECT_EQ(written_ + unavailable_, 1501);
  EXPECT_EQ(sql("SELECT COUNT(*) FROM Contexts WHERE project = 'modest'"), "1");
}

TEST_F(SqliteWriter, AnswersWhatIsQueuedBeforeItEnds) {
  ASSERT_TRUE(open());
  const auto work = [this](int i) { return write("p", "s" + std::to_string(i), "{}"); };
  run_all(100, work, [this] { store_->stop(); });
  EXPECT_EQ(written_, 100);
  EXPECT_EQ(sql("SELECT COUNT(*) FROM Contexts"), "100");
}

TEST_F(SqliteWriter, EndsWhileAnotherProcessHoldsTheFile) {
  options_.patience = milliseconds(300);
  ASSERT_TRUE(open());
  hold();
  const auto work = [this](int i) { return write("p", "s" + std::to_string(i), "{}"); };
  run_all(100, work, [this] { store_->stop(); });
  EXPECT_EQ(unavailable_, 100);
  let_go();
}

TEST_F(SqliteWriter, TheJournalStaysShortUnderLoad) {
  ASSERT_TRUE(open());
  constexpr std::uintmax_t kMiB = 1024 * 1024;
  std::uintmax_t longest = 0;
  const auto work = [&](int id) -> Task<> {
    const RowKey key("p", "s" + std::to_string(id));
    for (int i = 0; i < 40; ++i) {
      const NewValues values(text_of(kMiB));
      const Status outcome = co_await store_->replace(caller_, key, values, std::nullopt);
      if (outcome) ++written_;
      longest = std::max(longest, std::filesystem::file_size(options_.file + "-wal"));
    }
  };
  run_all(4, work);
  EXPECT_EQ(written_, 160);
  EXPECT_LT(longest, 120 * kMiB) << "160 MiB were written";
}

}  // namespace
}  // namespace flowstore::context::sqlite
