#include "context/postgres/postgres_store.h"

#include <gtest/gtest.h>

#include "context/postgres/errors.h"
#include "postgres/trouble.h"
#include "support/postgres_database.h"

namespace flowstore::context::postgres {
namespace {

const Caller kCaller;

// A row for every number, small or long.
void fill(const TestDatabase& database, int rows, int bytes) {
  Session session(database.options());
  session.query(R"(INSERT INTO "Contexts" (project, scope, "values", "createdAt", "updatedAt")
    SELECT 'p', 's' || i, ('{"n":' || i || ',"x":"' ||
      (SELECT string_agg(md5((i * j)::text), '') FROM generate_series(0, )" +
                std::to_string(bytes / 32) + R"() AS j) || '"}')::json, now(), now()
    FROM generate_series(1, )" +
                std::to_string(rows) + ") AS i");
}

TEST(PostgresStore, PullsALongPageInOrder) {
  constexpr int kRows = 1700;  // several looks
  const TestDatabase database;
  Process process(database.options());
  ASSERT_TRUE(run(process->probe()));
  fill(database, kRows, 0);
  const std::string project = "p";
  const auto page = run(process->list(kCaller, project, 0, 1600));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->count, static_cast<std::uint64_t>(kRows));
  ASSERT_TRUE(page->next_cursor);
  // Rows that come meanwhile belong to no page yet, and rows that go are left out.
  Session session(database.options());
  session.query(R"(DELETE FROM "Contexts" WHERE scope = 's1599')");
  std::int64_t last = 0;
  int count = 0;
  while (true) {
    const auto row = run(page->rows->next());
    ASSERT_TRUE(row);
    if (!*row) break;
    EXPECT_GT((*row)->id, last);
    last = (*row)->id;
    ++count;
  }
  EXPECT_EQ(count, 1599);
  EXPECT_EQ(last, *page->next_cursor);
  const auto rest = run(process->list(kCaller, project, last, 1600));
  ASSERT_TRUE(rest);
  EXPECT_FALSE(rest->next_cursor);
}

TEST(PostgresStore, HasNoCursorBehindALongPageThatIsNotFull) {
  const TestDatabase database;
  Process process(database.options());
  ASSERT_TRUE(run(process->probe()));
  fill(database, 600, 0);
  const std::string project = "p";
  const auto page = run(process->list(kCaller, project, 0, INT64_MAX));
  ASSERT_TRUE(page);
  EXPECT_FALSE(page->next_cursor);
  int count = 0;
  for (auto row = run(page->rows->next()); row && *row; row = run(page->rows->next())) ++count;
  EXPECT_EQ(count, 600);
}

TEST(PostgresStore, NamesThatTheTableCannotHoldAreInvalid) {
  const TestDatabase database;
  Process process(database.options());
  std::string longest;
  for (int i = 0; i < 255; ++i) longest += "ä";
  const RowKey fits(longest, longest);
  EXPECT_TRUE(run(process->replace(kCaller, fits, "{}", std::nullopt)));
  const RowKey is_long("p", longest + "x");
  const Status replaced = run(process->replace(kCaller, is_long, "{}", std::nullopt));
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().kind(), ErrorKind::invalid);
  EXPECT_EQ(replaced.error().message(), "value too long for type character varying(255)");
  EXPECT_TRUE(run(process->replace(kCaller, is_long, std::nullopt, std::nullopt)));
  const auto values = run(process->read(kCaller, is_long));
  ASSERT_TRUE(values);
  EXPECT_FALSE(*values);

  const RowKey has_nul("p", std::string("a\0b", 3));
  EXPECT_EQ(run(process->read(kCaller, has_nul)).error().kind(), ErrorKind::invalid);
  const RowKey is_no_utf8("p", "\xff");
  EXPECT_EQ(run(process->replace(kCaller, is_no_utf8, "{}", std::nullopt)).error().kind(),
            ErrorKind::invalid);
}

TEST(PostgresStore, AWriteThatIsInvalidHarmsNoOther) {
  const TestDatabase database;
  Options options = database.options();
  options.connections = 2;  // so that they share transactions
  Process process(options);
  ASSERT_TRUE(run(process->probe()));
  const auto work = [&](int id) -> Task<> {
    for (int i = 0; i < 10; ++i) {
      const RowKey key("p" + std::to_string(id), id == 5 ? "\xff" : "s");
      Status status;
      if (id % 2 == 0) {
        status = co_await process->replace(kCaller, key, numbered(1), std::nullopt);
      } else {
        status = co_await process->update(kCaller, key, add_one, std::nullopt);
      }
      EXPECT_EQ(status.has_value(), id != 5);
    }
  };
  run_side_by_side(20, work);
  EXPECT_LT(process.metric(R"(flowstore_context_batch_size_count{driver="postgres"})"),
            process.metric(R"(flowstore_context_batch_size_sum{driver="postgres"})"))
      << "no transaction was shared";
}

TEST(PostgresStore, AMutationThatThrowsIsAnError) {
  const TestDatabase database;
  Process process(database.options());
  const RowKey key("p", "s");
  const Mutation throws = [](auto) -> Result<NewValues> { throw std::runtime_error("oh"); };
  EXPECT_EQ(run(process->update(kCaller, key, throws, std::nullopt)).error().kind(),
            ErrorKind::internal);
  EXPECT_TRUE(run(process->update(kCaller, key, add_one, std::nullopt)));
}

TEST(PostgresStore, TriesTheNextOfSeveralHosts) {
  const TestDatabase database;
  Options options = database.options();
  options.host = "127.0.0.3,127.0.0.1";  // the server listens on the second
  Process process(options);
  EXPECT_TRUE(run(process->probe()));
}

TEST(PostgresStore, CountsItsConnections) {
  const TestDatabase database;
  Process process(database.options());
  ASSERT_TRUE(run(process->probe()));
  EXPECT_EQ(process.metric(R"(flowstore_postgres_connects_total{result="ok",use="context"})"), 1);
}

TEST(PostgresTrouble, SaysNothingOfTheDatabaseToClients) {
  const char* states[] = {"", "08006", "40001", "42P01", "53100", "57014", "42601", "XX000"};
  for (const char* state : states) {
    const Error error = translate(Trouble(state, "relation \"secret\" in schema x"));
    EXPECT_EQ(error.message().find("secret"), std::string::npos) << state;
  }
}

TEST(PostgresTrouble, KnowsWhatTimeHeals) {
  for (const char* state : {"", "08006", "40001", "40P01", "55P03", "57P01", "23505"}) {
    EXPECT_EQ(remedy_for(Trouble(state, "")), Remedy::repeat) << state;
  }
  for (const char* state : {"57014", "53100", "22001", "42501", "XX000"}) {
    EXPECT_EQ(remedy_for(Trouble(state, "")), Remedy::none) << state;
  }
}

}  // namespace
}  // namespace flowstore::context::postgres
