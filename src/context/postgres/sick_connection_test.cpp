// What happens to calls while the way to the database is sick, and the database is not.

#include <atomic>

#include <gtest/gtest.h>

#include "support/postgres_database.h"
#include "support/relay.h"

namespace flowstore::context::postgres {
namespace {

const Caller kCaller;

// A database whose clients go through a relay.
class PostgresSickConnection : public testing::Test {
 protected:
  Options options() const {
    Options options = database_.options();
    options.port = relay_.port();
    return options;
  }

  static Status read(Process& process, const std::string& project) {
    const RowKey key(project, "s");
    const auto values = run(process->read(kCaller, key));
    return values ? Status() : Status(values.error());
  }

  const TestDatabase database_;
  Relay relay_{shared_postgres().port()};
};

// libpq says once that it does not understand the server, and then nothing more of what is under
// way.
TEST_F(PostgresSickConnection, ThatGarblesAnswersKeepsNobodyWaiting) {
  Process process(options());
  ASSERT_TRUE(read(process, "p"));
  std::atomic<bool> is_over{false};
  std::atomic<int> answered{0};
  std::thread load([&] {
    run_side_by_side(24, [&](int id) -> Task<> {
      const RowKey key("p" + std::to_string(id), "s");
      const std::string values = numbered(1);
      const CharacterLimit no_limit = std::nullopt;
      while (!is_over) {
        if (id % 2 == 0) static_cast<void>(co_await process->read(kCaller, key));
        if (id % 2 != 0)
          static_cast<void>(co_await process->replace(kCaller, key, values, no_limit));
        ++answered;
      }
    });
  });
  for (int round = 0; round < 5; ++round) {
    relay_.garble_answers(true);
    const int opened = relay_.opened();
    EXPECT_TRUE(comes_true([&] { return relay_.opened() > opened; }));
    relay_.garble_answers(false);
    const int before = answered;
    EXPECT_TRUE(comes_true([&] { return answered > before + 100; }));
  }
  is_over = true;
  load.join();
  EXPECT_TRUE(comes_true([&] { return read(process, "p").has_value(); }));
}

TEST_F(PostgresSickConnection, ThatGoesNowhereIsNotFoundOutOneByOne) {
  Options with_few = options();
  with_few.connections = 6;
  with_few.patience = std::chrono::seconds(5);
  Process process(with_few);
  const auto work = [&](int id) -> Task<> {
    const RowKey key("p" + std::to_string(id), "s");
    for (int i = 0; i < 50; ++i) {
      static_cast<void>(co_await process->update(kCaller, key, add_one, std::nullopt));
    }
  };
  for (int round = 0; round < 20 && relay_.opened() < 4; ++round) run_side_by_side(24, work);
  ASSERT_GE(relay_.opened(), 4);
  relay_.lose_connections();
  EXPECT_FALSE(read(process, "p"));  // on one of them
  EXPECT_TRUE(read(process, "p"));
}

// Its locks would keep the project from everybody for as long as the server believes in it.
TEST_F(PostgresSickConnection, ThatGoesNowhereHoldsItsProjectHardlyLongerThanItsOwnClientWaits) {
  Process direct(database_.options());
  const RowKey key("p", "s");
  ASSERT_TRUE(run(direct->update(kCaller, key, add_one, std::nullopt)));
  Process process(options());
  const Mutation lose_it = [&](std::optional<std::string_view> present) {
    relay_.lose_connections();
    return add_one(present);
  };
  EXPECT_FALSE(run(process->update(kCaller, key, lose_it, std::nullopt)));
  EXPECT_TRUE(run(direct->update(kCaller, key, add_one, std::nullopt)));
}

}  // namespace
}  // namespace flowstore::context::postgres
