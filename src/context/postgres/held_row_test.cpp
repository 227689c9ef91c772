// What happens to calls while another program holds the row that they want.

#include <gtest/gtest.h>

#include "support/postgres_database.h"

namespace flowstore::context::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

const Caller kCaller;

// Another program that holds the row of a project in a transaction it does not end.
class Holder {
 public:
  Holder(const Options& options, const std::string& project) : session_(options) {
    session_.query("BEGIN");
    session_.query(R"(SELECT FROM "Contexts" WHERE project = ')" + project + "' FOR UPDATE");
  }
  void let_go() { session_.query("COMMIT"); }

 private:
  Session session_;
};

class HeldRow : public testing::Test {
 protected:
  // A process that has written the row of the project "held", before somebody held it.
  void begin(std::chrono::milliseconds patience) {
    options_.patience = patience;
    process_.emplace(options_);
    ASSERT_TRUE(replace(*process_, "held", numbered(1)));
    holder_.emplace(options_, "held");
  }
  Status replace_held(std::uint64_t number) { return replace(*process_, "held", numbered(number)); }

  // Returns when somebody waits for the row.
  void await_waiting() {
    Session session(options_);
    EXPECT_TRUE(comes_true([&] {
      return session.value(
                 "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                 "AND datname = current_database()") == "1";
    }));
  }

  const TestDatabase database_;
  Options options_ = database_.options();
  std::optional<Process> process_;
  std::optional<Holder> holder_;
};

TEST_F(HeldRow, IsWaitedForWithPatience) {
  begin(milliseconds(500));
  EXPECT_EQ(kind_of(replace_held(2)), ErrorKind::unavailable);
  const RowKey key("held", "s");
  EXPECT_EQ(*run((*process_)->read(kCaller, key)), numbered(1)) << "readers do not wait";
  holder_->let_go();
  EXPECT_TRUE(replace_held(3));
}

TEST_F(HeldRow, HoldsUpNoOtherProject) {
  options_.connections = 4;
  begin(options_.patience);
  const auto work = [&](int id) -> Task<> {
    if (id == 0) {
      const RowKey key("held", "s");
      const Status status = co_await (*process_)->update(kCaller, key, add_one, std::nullopt);
      EXPECT_EQ(kind_of(status), ErrorKind::unavailable);
      co_return;
    }
    for (int i = 0; i < 20; ++i) {
      const RowKey key("p" + std::to_string(id), "s");
      const Status status = co_await (*process_)->update(kCaller, key, add_one, std::nullopt);
      EXPECT_TRUE(status) << status.error().message();
    }
  };
  run_side_by_side(40, work);
}

TEST_F(HeldRow, IsNotWaitedForByACallerWhoLeaves) {
  begin(seconds(60));
  Caller first;
  Caller second;
  const auto work = [&](int id) -> Task<> {
    const RowKey key("held", "s");
    Caller& caller = id == 0 ? first : second;
    const Status status = co_await (*process_)->replace(caller, key, numbered(2), std::nullopt);
    EXPECT_EQ(kind_of(status), ErrorKind::aborted);
  };
  const auto start = steady_clock::now();
  std::thread leaver([&] {
    await_waiting();
    second.leave();  // still waits its turn
    first.leave();   // runs
  });
  run_side_by_side(2, work);
  leaver.join();
  EXPECT_LT(steady_clock::now() - start, seconds(45));
  holder_->let_go();
  EXPECT_TRUE(replace_held(3));
}

TEST_F(HeldRow, IsWaitedForByNoMoreThanCanBeDone) {
  begin(seconds(5));
  std::atomic<int> refused{0};
  const std::string megabytes = "\"" + std::string(10 << 20, 'x') + "\"";
  const auto work = [&](int) -> Task<> {
    const RowKey key("held", "s");
    const Status status = co_await (*process_)->replace(kCaller, key, megabytes, std::nullopt);
    if (status) co_return;
    EXPECT_EQ(kind_of(status), ErrorKind::unavailable);
    if (++refused == 3) holder_->let_go();
  };
  run_side_by_side(6, work);  // 60 MiB
  EXPECT_EQ(refused, 3);
}

TEST_F(HeldRow, IsNotWaitedForWhenTheStoreStops) {
  options_.patience = seconds(60);
  process_.emplace(options_);
  for (int i = 0; i < 10; ++i) {
    const RowKey key("held", "s" + std::to_string(i));
    const std::string values = "\"" + std::string(100'000, 'x') + "\"";
    ASSERT_TRUE(run((*process_)->replace(kCaller, key, values, std::nullopt)));
  }
  const std::string project = "held";
  const auto page = run((*process_)->list(kCaller, project, 0, 10));
  ASSERT_TRUE(page);
  holder_.emplace(options_, "held");
  std::thread stopper([&] {
    await_waiting();
    (*process_)->stop();
  });
  const auto work = [&](int) -> Task<> {
    const RowKey key("held", "s0");
    const Status status = co_await (*process_)->update(kCaller, key, add_one, std::nullopt);
    EXPECT_EQ(kind_of(status), ErrorKind::unavailable);
  };
  run_side_by_side(5, work);
  stopper.join();
  EXPECT_EQ(kind_of(run((*process_)->probe())), ErrorKind::unavailable);
  auto row = run(page->rows->next());
  while (row && *row) row = run(page->rows->next());
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().kind(), ErrorKind::unavailable);
  (*process_)->stop();  // once more does no harm
}

}  // namespace
}  // namespace flowstore::context::postgres
