#include "context/sqlite/sqlite_store.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "context/sqlite/readers.h"
#include "context/sqlite/test_store.h"

namespace flowstore::context::sqlite {
namespace {

class SqliteStore : public StoreTest {};

TEST_F(SqliteStore, WritesRowsAsTheOldServerDoes) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("global", R"({"a":1})"));
  EXPECT_EQ(sql("SELECT id || '|' || project || '|' || scope || '|' || `values` || '|' ||"
                " typeof(`values`) || '|' || typeof(createdAt) FROM Contexts"),
            R"(1|p|global|{"a":1}|text|text)");
  const std::string created = sql("SELECT createdAt FROM Contexts");
  ASSERT_EQ(created.size(), std::string("2026-11-22 22:30:05.103 +00:00").size()) << created;
  EXPECT_EQ(created[10], ' ');
  EXPECT_EQ(created.substr(23), " +00:00");
  sql("UPDATE Contexts SET createdAt = 'then', updatedAt = 'then'");
  ASSERT_TRUE(put("global", R"({"a":2})"));
  EXPECT_EQ(sql("SELECT createdAt FROM Contexts"), "then");
  EXPECT_NE(sql("SELECT updatedAt FROM Contexts"), "then");
  EXPECT_EQ(sql("SELECT seq FROM sqlite_sequence WHERE name = 'Contexts'"), "1");
}

TEST_F(SqliteStore, LeavesOneFileBehind) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", "{}"));
  EXPECT_EQ(get("a"), "{}");
  EXPECT_TRUE(std::filesystem::exists(options_.file + "-wal"));
  store_->stop();
  EXPECT_FALSE(std::filesystem::exists(options_.file + "-wal"));
  EXPECT_FALSE(std::filesystem::exists(options_.file + "-shm"));
}

TEST_F(SqliteStore, RefusesEverythingAfterItHasEnded) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(put("s" + std::to_string(i), text_of(200'000)));
  const std::string project = "p";
  const RowKey key(project, "s");
  const auto page = ::flowstore::run(store_->list(caller_, project, 0, 10));
  ASSERT_TRUE(page);
  store_->stop();
  store_->stop();
  const std::vector<Status> late = {
      put("s", "{}"),
      ::flowstore::run(store_->clean(caller_, project, [](auto) { return false; })),
      ::flowstore::run(store_->probe()),
  };
  for (const Status& outcome : late) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), ErrorKind::unavailable);
  }
  EXPECT_EQ(get("s"), "error");
  EXPECT_FALSE(::flowstore::run(store_->list(caller_, project, 0, 10)));
  auto row = ::flowstore::run(page->rows->next());
  while (row && *row) row = ::flowstore::run(page->rows->next());
  ASSERT_FALSE(row) << "the rest of the page is out of reach";
  EXPECT_EQ(row.error().kind(), ErrorKind::unavailable);
}

TEST_F(SqliteStore, ReadsAPageInPieces) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(put("s" + std::to_string(i), text_of(100'000)));
  Readers readers(options_, clock_, *log_);
  const auto page = readers.page("p", 0, 20);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->ids.size(), 10U);
  EXPECT_EQ(page->rows.size(), 3U);
  std::size_t next = page->next_id;
  EXPECT_EQ(next, 3U);
  while (next < page->ids.size()) {
    const auto rows = readers.rows("p", page->ids, next);
    ASSERT_TRUE(rows);
    EXPECT_GE(rows->size(), 1U);
    EXPECT_LE(rows->size(), 3U);
  }
}

TEST_F(SqliteStore, ASmallPageIsOnePiece) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put("s" + std::to_string(i), text_of(1000)));
  Readers readers(options_, clock_, *log_);
  const auto page = readers.page("p", 0, 20);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->rows.size(), 20U);
  EXPECT_EQ(page->next_id, 20U);
}

TEST_F(SqliteStore, APageThatIsReadSlowlyDoesNotKeepTheJournal) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(put("s" + std::to_string(i), text_of(100'000)));
  const std::string project = "p";
  const auto page = ::flowstore::run(store_->list(caller_, project, 0, 20));
  ASSERT_TRUE(page && ::flowstore::run(page->rows->next()));
  ASSERT_TRUE(put("s0", "{}"));
  EXPECT_EQ(sql("PRAGMA wal_checkpoint(TRUNCATE)"), "0") << "nobody was in its way";
}

TEST_F(SqliteStore, PagesAreFoundWithoutSorting) {
  ASSERT_TRUE(open());
  Connection other;
  join(other);
  Statement plan;
  ASSERT_EQ(other.prepare(plan,
                          "EXPLAIN QUERY PLAN SELECT id FROM Contexts WHERE project = 'p' AND"
                          " id > 5 ORDER BY id LIMIT 20"),
            0);
  ASSERT_TRUE(plan.step());
  EXPECT_NE(plan.text(3).find("COVERING INDEX flowstore_contexts_project (project=? AND rowid>?)"),
            std::string::npos)
      << plan.text(3);
  EXPECT_FALSE(plan.step());
}

// Whatever another program has written there.
TEST_F(SqliteStore, ReadsTheDateOfTheLastChange) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", R"({"a":1})"));
  ASSERT_TRUE(put("b", R"({"b":1})"));
  const std::string project = "p";
  const auto change_of = [&](const std::string& a, const std::string& b) {
    sql(("UPDATE Contexts SET updatedAt = CASE scope WHEN 'a' THEN " + a + " ELSE " + b + " END")
            .c_str());
    const auto found = ::flowstore::run(store_->last_change(project));
    EXPECT_TRUE(found);
    return found && *found ? std::chrono::system_clock::to_time_t(**found) : 0;
  };
  EXPECT_EQ(change_of("'2020-01-02 03:04:05.678 +00:00'", "'2019-01-01 00:00:00.000 +00:00'"),
            1577934245);
  EXPECT_EQ(change_of("'2020-01-02 03:04:05.678 +00:00'", "'2020-01-02 03:04:06.000 +01:00'"),
            1577934245);
  EXPECT_EQ(change_of("'2020-01-02T03:04:05.678Z'", "'2019-01-01 00:00:00.000 +00:00'"),
            1577934245);
  EXPECT_EQ(change_of("'2020-01-02 03:04:05.678 +00:00'", "'last year'"), 0);
  EXPECT_EQ(change_of("'2020-01-02 03:04:05.678 +00:00'", "1577934245678"), 0);
}

TEST_F(SqliteStore, SaysThatTheDiskIsFullAndGoesOn) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", R"({"a":1})"));
  // The kernel refuses to make files longer, as a full disk would.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 256 * 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = put("b", text_of(2'000'000));
  EXPECT_TRUE(put("a", R"({"a":2})")) << "small writes go on";
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::no_space);
  EXPECT_EQ(status.error().message().find(folder_), std::string::npos);
  EXPECT_EQ(get("a"), R"({"a":2})");
  EXPECT_EQ(get("b"), "nothing");
  EXPECT_TRUE(put("b", text_of(2'000'000)));
  EXPECT_NE(log().find("the context database cannot be written"), std::string::npos);
}

TEST_F(SqliteStore, ADamagedFileIsReportedToTheOperatorOnly) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(put("s" + std::to_string(i), text_of(5000)));
  store_.reset();
  const std::uintmax_t size = std::filesystem::file_size(options_.file);
  {
    std::fstream file(options_.file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2 * 4096);  // the pages before hold the schema and the root of the table
    file << std::string(size - std::size_t{2} * 4096, '\xEE');
  }
  ASSERT_TRUE(open());
  const RowKey key("p", "s7");
  const auto values = ::flowstore::run(store_->read(caller_, key));
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().kind(), ErrorKind::internal);
  EXPECT_EQ(values.error().message(), "The context store is broken");
  const Status written = put("s7", "{}");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind(), ErrorKind::internal);
  const std::string lines = log();
  EXPECT_NE(lines.find("the context database cannot be read"), std::string::npos) << lines;
  EXPECT_NE(lines.find("the context database cannot be written"), std::string::npos);
  EXPECT_NE(lines.find("database disk image is malformed (code 11)"), std::string::npos);
}

// What the operator reads when the store cannot be opened: the option, the file, the reason.
class SqliteStoreStart : public StoreTest {
 protected:
  std::string message() {
    const Status status = open();
    return status ? "opened" : status.error().message();
  }
  void expect_message(const std::string& reason) {
    EXPECT_EQ(message(), "context.options.storage " + options_.file + ": " + reason);
  }
};

TEST_F(SqliteStoreStart, MakesTheFoldersOfItsFile) {
  options_.file = folder_ + "/a/b/context.db";
  EXPECT_EQ(message(), "opened");
}

TEST_F(SqliteStoreStart, AFileThatIsNoDatabase) {
  std::ofstream(options_.file) << std::string(5000, 'x');
  expect_message(
      "file is not a database (code 26); restore it from a copy, or move it away to begin with an "
      "empty one");
}

TEST_F(SqliteStoreStart, AFileFromTheFuture) {
  ASSERT_TRUE(open());
  store_.reset();
  {
    std::fstream file(options_.file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(18);
    file << "\x09\x09";  // the versions that may write and read it
  }
  expect_message(
      "file is not a database (code 26); restore it from a copy, or move it away to begin with an "
      "empty one");
}

TEST_F(SqliteStoreStart, AFolderThatCannotBeMade) {
  options_.file = "/proc/flowstore/context.db";
  EXPECT_NE(message().find("/proc/flowstore/context.db: its folder cannot be made: "),
            std::string::npos);
}

TEST_F(SqliteStoreStart, AFolderInPlaceOfTheFile) {
  std::filesystem::create_directory(options_.file);
  expect_message(
      "unable to open database file (code 14); check that the file and its folder can be written");
}

TEST_F(SqliteStoreStart, ATableThatIsNotTheRightOne) {
  sql("CREATE TABLE Contexts (project TEXT, something TEXT)");
  EXPECT_NE(message().find("is this the context database"), std::string::npos);
}

TEST_F(SqliteStoreStart, AnotherProcessThatHoldsTheFile) {
  ASSERT_TRUE(open());
  store_.reset();
  options_.patience = std::chrono::milliseconds(100);
  Connection other;
  join(other);
  ASSERT_EQ(other.run("BEGIN IMMEDIATE"), 0);
  expect_message("database is locked (code 5); another process holds the file");
}

TEST_F(SqliteStoreStart, TheJournalMayChange) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", "{}"));
  store_.reset();
  options_.journal = Journal::rollback;
  ASSERT_TRUE(open());
  EXPECT_EQ(sql("PRAGMA journal_mode"), "delete");
  EXPECT_EQ(get("a"), "{}");
  store_.reset();
  options_.journal = Journal::wal;
  ASSERT_TRUE(open());
  EXPECT_EQ(sql("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(get("a"), "{}");
}

}  // namespace
}  // namespace flowstore::context::sqlite
