// One file, several programs: the old server above all.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "context/sqlite/test_store.h"

namespace flowstore::context::sqlite {
namespace {

class SqliteSharing : public StoreTest {
 protected:
  // A file of the old server, with rows.
  void make_old_file(const char* rows) {
    Connection old;
    join(old);
    ASSERT_EQ(old.run(kOldSchema), 0);
    ASSERT_EQ(old.run(rows), 0) << old.message();
  }
};

TEST_F(SqliteSharing, OpensAFileOfTheOldServer) {
  make_old_file(
      "INSERT INTO Contexts VALUES"
      " (7, 'p', 'global', '{\"a\":1}', '2024-01-01T00:00:00Z', 'garbage'),"
      " (8, 'p', 'spaced', '{ \"a\" : 1 }', '', ''),"
      " (9, 'p', 'blob', x'7B7D', '', ''),"
      " (10, 'p', 'number', 5, 1700000000, 1.5),"
      " (20, 'q', 's', '{}', '', '');");
  ASSERT_TRUE(open());
  EXPECT_EQ(get("global"), R"({"a":1})");
  EXPECT_EQ(get("spaced"), R"({ "a" : 1 })");
  EXPECT_EQ(get("blob"), "{}");
  EXPECT_EQ(get("number"), "5");
  EXPECT_EQ(count(), 4U);
  ASSERT_TRUE(put("new", "{}"));
  EXPECT_EQ(sql("SELECT id FROM Contexts WHERE scope = 'new'"), "21");
  // What is written again becomes a row as the old server writes it, but keeps its first date.
  ASSERT_TRUE(put("blob", R"({"b":2})"));
  EXPECT_EQ(sql("SELECT typeof(`values`) || `values` || createdAt || length(updatedAt)"
                " FROM Contexts WHERE scope = 'blob'"),
            R"(text{"b":2}30)");
}

TEST_F(SqliteSharing, TheOldServerWritesToOurFile) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("ours", R"({"a":1})"));
  Connection old;
  join(old);
  ASSERT_EQ(old.run("CREATE TABLE IF NOT EXISTS `Contexts` (`id` INTEGER)"), 0) << "its start";
  // The statements of a set, a change and a removal.
  ASSERT_EQ(old.run("BEGIN IMMEDIATE TRANSACTION;"
                    "INSERT INTO `Contexts` (`id`,`project`,`scope`,`values`,`createdAt`,"
                    "`updatedAt`) VALUES (NULL,'p','theirs','{}','2026-11-22 22:30:05.103 +00:00',"
                    "'2026-11-22 22:30:05.103 +00:00')"),
            0)
      << old.message();
  Code code = 0;
  EXPECT_EQ(old.ask("SELECT last_insert_rowid() || ' ' || changes()", code), "2 1");
  ASSERT_EQ(old.run("UPDATE `Contexts` SET `values`='{\"b\":2}',`updatedAt`='now' WHERE `id` = 2;"
                    "COMMIT"),
            0);
  EXPECT_EQ(get("theirs"), R"({"b":2})");
  EXPECT_EQ(count(), 2U);
  ASSERT_TRUE(put("theirs", R"({"b":3})"));
  EXPECT_EQ(old.ask("SELECT `values` FROM Contexts WHERE id = 2", code), R"({"b":3})");
  ASSERT_EQ(old.run("DELETE FROM `Contexts` WHERE `id` = 1"), 0);
  EXPECT_EQ(get("ours"), "nothing");
  EXPECT_EQ(count(), 1U);
}

TEST_F(SqliteSharing, CountsRowsWhoeverWritesThem) {
  make_old_file(
      "INSERT INTO Contexts (project, scope, `values`, createdAt, updatedAt) VALUES"
      " ('p', 'a', '{}', '', ''), ('p', 'b', '{}', '', ''), ('q', 'a', '{}', '', '');");
  ASSERT_TRUE(open());
  EXPECT_EQ(count("p"), 2U);
  EXPECT_EQ(count("q"), 1U);
  sql("UPDATE Contexts SET project = 'q' WHERE project = 'p' AND scope = 'b'");
  sql("UPDATE Contexts SET scope = 'c' WHERE project = 'p'");
  EXPECT_EQ(count("p"), 1U);
  EXPECT_EQ(count("q"), 2U);
  sql("DELETE FROM Contexts");
  EXPECT_EQ(count("p"), 0U);
  EXPECT_EQ(sql("SELECT COUNT(*) FROM flowstore_context_counts"), "0") << "nothing is left behind";
  sql("INSERT OR IGNORE INTO Contexts (project, scope, `values`, createdAt, updatedAt) VALUES"
      " ('p', 'a', '{}', '', ''), ('p', 'a', '{}', '', ''), ('p', 'b', '{}', '', '')");
  EXPECT_EQ(count("p"), 2U);
}

TEST_F(SqliteSharing, CountsAnewWhereTheCountsWereLost) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", "{}"));
  store_.reset();
  // Somebody began anew with the old server.
  sql("DROP TABLE Contexts");
  make_old_file(
      "INSERT INTO Contexts (project, scope, `values`, createdAt, updatedAt) VALUES"
      " ('p', 'x', '{}', '', ''), ('p', 'y', '{}', '', '');");
  ASSERT_TRUE(open());
  EXPECT_EQ(count(), 2U);
  ASSERT_TRUE(put("z", "{}"));
  EXPECT_EQ(count(), 3U);
}

TEST_F(SqliteSharing, CountsAnewAtEveryStart) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", "{}"));
  ASSERT_TRUE(put("b", "{}"));
  // No trigger sees the row that goes.
  sql("INSERT OR REPLACE INTO Contexts (project, scope, `values`, createdAt, updatedAt)"
      " VALUES ('p', 'a', '{}', '', '')");
  sql("INSERT INTO flowstore_context_counts VALUES ('gone', 3)");
  EXPECT_EQ(count(), 3U);
  ASSERT_TRUE(open());
  EXPECT_EQ(count(), 2U);
  EXPECT_EQ(count("gone"), 0U);
  EXPECT_EQ(sql("SELECT COUNT(*) FROM flowstore_context_counts"), "1") << "nothing is left behind";
  ASSERT_TRUE(put("c", "{}"));
  EXPECT_EQ(count(), 3U);
}

TEST_F(SqliteSharing, SeesWhatAnotherProcessWritesInTheQuota) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", text_of(50), 100));
  ASSERT_TRUE(put("a", text_of(60), 100));
  sql("INSERT INTO Contexts (project, scope, `values`, createdAt, updatedAt)"
      " VALUES ('p', 'theirs', '\"123456789012345678\"', '', '')");
  EXPECT_FALSE(put("b", text_of(21), 100));
  EXPECT_TRUE(put("b", text_of(20), 100));
  sql("DELETE FROM Contexts WHERE scope = 'theirs'");
  EXPECT_TRUE(put("b", text_of(40), 100));
  EXPECT_FALSE(put("b", text_of(41), 100));
}

TEST_F(SqliteSharing, StrangeValuesCannotUpsetTheQuota) {
  // A text that goes on after a NUL, bytes that are no text, a number: LENGTH() would count 1, 6
  // and 3 characters.
  make_old_file(
      "INSERT INTO Contexts (project, scope, `values`, createdAt, updatedAt) VALUES"
      " ('p', 'nul', CAST(x'610062626262' AS TEXT), '', ''),"
      " ('p', 'bytes', x'808080C3A9FF', '', ''), ('p', 'number', 555, '', '');");
  ASSERT_TRUE(open());
  for (const char* scope : {"nul", "bytes", "number"}) {
    ASSERT_TRUE(put("probe", text_of(10), 1000)) << "the size is known from here on";
    ASSERT_TRUE(put(scope, text_of(20), 1000));
    ASSERT_TRUE(remove(scope, 1000));
  }
  EXPECT_FALSE(put("probe", text_of(101), 100));
  EXPECT_TRUE(put("probe", text_of(100), 100)) << "nothing else is left";
}

// Both keep to the limit as they see it, within their transactions.
TEST_F(SqliteSharing, TwoWritersKeepTheLimitTogether) {
  constexpr std::uint64_t kLimit = 2000;
  constexpr int kWrites = 60;
  ASSERT_TRUE(open());
  std::atomic<int> failures = 0;
  std::thread other([&] {
    Connection old;
    join(old);
    for (int i = 0; i < kWrites; ++i) {
      Code code = old.run("BEGIN IMMEDIATE");
      const std::string sum = old.ask(
          "SELECT COALESCE(SUM(LENGTH(`values`)), 0) FROM Contexts WHERE project = 'p'", code);
      const bool is_room = std::stoul(sum) + 20 <= kLimit;
      const std::string insert =
          "INSERT INTO Contexts (project, scope, `values`, createdAt, updatedAt) VALUES ('p', 'o" +
          std::to_string(i) + "', '\"123456789012345678\"', '', '')";
      if (code == 0 && is_room) code = old.run(insert.c_str());
      if (code == 0) code = old.run("COMMIT");
      if (code != 0) ++failures;
    }
  });
  std::atomic<int> refused = 0;
  const auto write = [&](int id) -> Task<> {
    const RowKey key("p", "s" + std::to_string(id));
    const NewValues values(text_of(20));
    const Status outcome = co_await store_->replace(caller_, key, values, kLimit);
    if (outcome) co_return;
    ++(outcome.error().kind() == ErrorKind::over_quota ? refused : failures);
  };
  for (int round = 0; round < kWrites; ++round) {
    run_all(2, [&](int i) { return write(2 * round + i); });
  }
  other.join();
  EXPECT_EQ(failures, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(sql("SELECT SUM(LENGTH(`values`)) FROM Contexts"), "2000");
}

TEST_F(SqliteSharing, ReadersDoNotWaitForWriters) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", R"({"a":1})"));
  Connection other;
  join(other);
  ASSERT_EQ(other.run("BEGIN IMMEDIATE; UPDATE Contexts SET `values` = 'not yet'"), 0);
  EXPECT_EQ(get("a"), R"({"a":1})");
  EXPECT_EQ(count(), 1U);
  ASSERT_EQ(other.run("ROLLBACK"), 0);
}

}  // namespace
}  // namespace flowstore::context::sqlite
