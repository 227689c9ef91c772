#include "context/sqlite/sqlite_store.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "context/characters.h"
#include "context/sqlite/connection.h"
#include "metrics/registry.h"
#include "support/run.h"

namespace flowstore::context::sqlite {
namespace {

// As the old server makes its table.
constexpr const char* kOldSchema =
    "CREATE TABLE `Contexts` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `project` VARCHAR(255) NOT "
    "NULL,"
    " `scope` VARCHAR(255) NOT NULL, `values` JSON NOT NULL, `createdAt` DATETIME NOT NULL,"
    " `updatedAt` DATETIME NOT NULL, UNIQUE (`project`, `scope`));";

class SqliteStore : public testing::Test {
 protected:
  SqliteStore() {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr) << folder_;
    options_.file = folder_ + "/context.db";
  }
  ~SqliteStore() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Status open() {
    store_.reset();
    auto made = make_store(options_, io_, clock_, log_, registry_);
    if (!made) return made.error();
    store_ = *std::move(made);
    return {};
  }

  Status put(const std::string& scope, const std::string& values,
             CharacterLimit limit = std::nullopt) {
    const RowKey key("p", scope);
    return ::flowstore::run(store_->replace(caller_, key, NewValues(values), limit));
  }
  std::string get(const std::string& scope) {
    const RowKey key("p", scope);
    const auto values = ::flowstore::run(store_->read(caller_, key));
    return values ? values->value_or("nothing") : "error";
  }

  // Another program at the same file.
  std::string sql(const char* statement) {
    Connection connection;
    EXPECT_EQ(connection.open(options_.file, Missing::make, std::chrono::seconds(5)), 0);
    Code code = 0;
    std::string answer = connection.ask(statement, code);
    EXPECT_EQ(code, 0) << connection.message();
    return answer;
  }

  std::string folder_ = testing::TempDir() + "/sqlite-XXXXXX";
  Options options_;
  SystemClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  BlockingPool io_{4};
  Caller caller_;
  std::unique_ptr<ContextStore> store_;
};

std::string text_of(std::size_t characters) {
  return "\"" + std::string(characters - 2, 'x') + "\"";
}

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
  ASSERT_TRUE(put("global", R"({"a":2})"));
  EXPECT_EQ(sql("SELECT createdAt FROM Contexts"), created);
  EXPECT_EQ(sql("SELECT seq FROM sqlite_sequence WHERE name = 'Contexts'"), "1");
}

TEST_F(SqliteStore, OpensAFileOfTheOldServer) {
  {
    Connection old;
    ASSERT_EQ(old.open(options_.file, Missing::make, std::chrono::seconds(1)), 0);
    ASSERT_EQ(old.run(kOldSchema), 0);
    ASSERT_EQ(old.run("INSERT INTO Contexts VALUES"
                      " (7, 'p', 'global', '{\"a\":1}', '2024-01-01T00:00:00Z', 'garbage'),"
                      " (8, 'p', 'spaced', '{ \"a\" : 1 }', '', ''),"
                      " (9, 'p', 'blob', x'7B7D', '', '')"),
              0);
  }
  ASSERT_TRUE(open());
  EXPECT_EQ(get("global"), R"({"a":1})");
  EXPECT_EQ(get("spaced"), R"({ "a" : 1 })");
  EXPECT_EQ(get("blob"), "{}");
  ASSERT_TRUE(put("new", "{}"));
  EXPECT_EQ(sql("SELECT id FROM Contexts WHERE scope = 'new'"), "10");
}

TEST_F(SqliteStore, SeesWhatAnotherProcessWritesInTheQuota) {
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

TEST_F(SqliteStore, ShowsItsWritesToOtherProcesses) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", R"({"a":1})"));
  EXPECT_EQ(sql("SELECT `values` FROM Contexts WHERE scope = 'a'"), R"({"a":1})");
}

TEST_F(SqliteStore, LeavesOneFileBehind) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put("a", "{}"));
  EXPECT_TRUE(std::filesystem::exists(options_.file + "-wal"));
  store_.reset();
  EXPECT_FALSE(std::filesystem::exists(options_.file + "-wal"));
}

TEST_F(SqliteStore, WritesManyRequestsInOneTransaction) {
  ASSERT_TRUE(open());
  constexpr int kWriters = 200;
  boost::asio::io_context loop;
  int failures = 0;
  auto write = [&](int number) -> Task<> {
    const RowKey key("project" + std::to_string(number), "global");
    const Status status = co_await store_->replace(caller_, key, NewValues("{}"), std::nullopt);
    if (!status) ++failures;
  };
  for (int i = 0; i < kWriters; ++i) boost::asio::co_spawn(loop, write(i), boost::asio::detached);
  loop.run();
  EXPECT_EQ(failures, 0);
  const std::string metrics = registry_.text();
  const std::string name = "flowstore_context_batch_size_count{driver=\"sqlite\"} ";
  const std::size_t at = metrics.find(name);
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stoi(metrics.substr(at + name.size())), kWriters / 2);
}

TEST_F(SqliteStore, AnswersTheOthersWhenOneOfABatchIsRefused) {
  ASSERT_TRUE(open());
  boost::asio::io_context loop;
  int refused = 0;
  int written = 0;
  auto write = [&](int number) -> Task<> {
    const RowKey key("p", "s" + std::to_string(number));
    const NewValues values(text_of(number % 3 == 0 ? 500 : 10));
    const Status status = co_await store_->replace(caller_, key, values, 450);
    status ? ++written : ++refused;
  };
  for (int i = 0; i < 60; ++i) boost::asio::co_spawn(loop, write(i), boost::asio::detached);
  loop.run();
  EXPECT_EQ(refused, 20);
  EXPECT_EQ(written, 40);
  EXPECT_EQ(sql("SELECT COUNT(*) FROM Contexts"), "40");
}

TEST_F(SqliteStore, GivesUpInTimeWhenAnotherProcessHoldsTheFile) {
  options_.patience = std::chrono::milliseconds(200);
  ASSERT_TRUE(open());
  Connection other;
  ASSERT_EQ(other.open(options_.file, Missing::make, std::chrono::seconds(1)), 0);
  ASSERT_EQ(other.run("BEGIN IMMEDIATE"), 0);
  const Status status = put("a", "{}");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(get("a"), "nothing") << "readers do not wait";
  ASSERT_EQ(other.run("COMMIT"), 0);
  EXPECT_TRUE(put("a", "{}"));
}

TEST_F(SqliteStore, KeepsWhatWasAnsweredWhenItIsKilled) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Threads do not survive a fork: everything is made here.
    ::close(pipe_ends[0]);
    const SystemClock clock;
    Log log(LogLevel::silent, LogFormat::json, clock);
    metrics::Registry registry;
    BlockingPool io(1);
    const Caller caller;
    auto store = make_store(options_, io, clock, log, registry);
    for (int i = 0; store && i < 1'000'000; ++i) {
      const RowKey key("p", "s" + std::to_string(i % 50));
      const NewValues values("{\"i\":" + std::to_string(i) + "}");
      if (!::flowstore::run((*store)->replace(caller, key, values, std::nullopt))) break;
      if (::write(pipe_ends[1], &i, sizeof(i)) != sizeof(i)) break;
    }
    ::_exit(1);
  }
  ::close(pipe_ends[1]);
  int answered = -1;
  while (answered < 200)
    ASSERT_EQ(::read(pipe_ends[0], &answered, sizeof(answered)), sizeof(answered));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  int next = 0;
  while (::read(pipe_ends[0], &next, sizeof(next)) == sizeof(next)) answered = next;
  ::close(pipe_ends[0]);

  ASSERT_TRUE(open());
  for (int i = answered - 49; i <= answered; ++i) {
    const std::string values = get("s" + std::to_string(i % 50));
    ASSERT_TRUE(values.starts_with("{\"i\":")) << values;
    EXPECT_GE(std::stoi(values.substr(5)), i);
  }
  EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
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
  EXPECT_EQ(status.error().message().find(folder_), std::string::npos);
  EXPECT_EQ(get("a"), R"({"a":2})");
  EXPECT_EQ(get("b"), "nothing");
  EXPECT_TRUE(put("b", text_of(2'000'000)));
}

TEST_F(SqliteStore, SaysWhatIsWrongWithAFileThatIsNoDatabase) {
  std::ofstream(options_.file) << std::string(5000, 'x');
  const Status status = open();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("file is not a database"), std::string::npos)
      << status.error().message();
}

TEST_F(SqliteStore, SaysThatATableIsNotTheRightOne) {
  sql("CREATE TABLE Contexts (project TEXT, something TEXT)");
  const Status status = open();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("is this the context database"), std::string::npos);
}

TEST_F(SqliteStore, MakesTheFoldersOfItsFile) {
  options_.file = folder_ + "/a/b/context.db";
  EXPECT_TRUE(open());
}

TEST_F(SqliteStore, StreamsAPageThatIsLargerThanMemoryShouldBe) {
  ASSERT_TRUE(open());
  const std::string large = text_of(5'000'000);
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(put("s" + std::to_string(i), large));
  const std::string project = "p";
  auto page = ::flowstore::run(store_->list(caller_, project, 0, 20));
  ASSERT_TRUE(page);
  int rows = 0;
  while (true) {
    const auto row = ::flowstore::run(page->rows->next());
    ASSERT_TRUE(row);
    if (!*row) break;
    EXPECT_EQ((*row)->values.size(), large.size());
    ++rows;
  }
  EXPECT_EQ(rows, 8);
}

TEST_F(SqliteStore, AnswersWhatIsQueuedBeforeItEnds) {
  ASSERT_TRUE(open());
  boost::asio::io_context loop;
  int written = 0;
  auto write = [&](int number) -> Task<> {
    const RowKey key("p", "s" + std::to_string(number));
    const Status status = co_await store_->replace(caller_, key, NewValues("{}"), std::nullopt);
    if (status) ++written;
  };
  for (int i = 0; i < 100; ++i) boost::asio::co_spawn(loop, write(i), boost::asio::detached);
  loop.poll();  // all are queued, most of them not yet answered
  store_.reset();
  loop.run();
  EXPECT_EQ(written, 100);
}

TEST_F(SqliteStore, RefusesWritesAfterItHasEnded) {
  ASSERT_TRUE(open());
  EXPECT_TRUE(put("s", "{}"));
  store_->stop();
  store_->stop();
  const Status late = put("s", "{}");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::unavailable);
}

}  // namespace
}  // namespace flowstore::context::sqlite
