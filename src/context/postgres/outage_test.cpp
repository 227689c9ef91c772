// What happens to calls while the database is down or slow.

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "support/listener.h"
#include "support/postgres_database.h"

namespace flowstore::context::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

const Caller kCaller;

std::string text_of(int file) {
  std::ifstream stream("/proc/self/fd/" + std::to_string(file));
  return (std::ostringstream() << stream.rdbuf()).str();
}

// Counts per project, and what is known of them.
struct Tally {
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> unknown{0};  // may have happened
};

// Writes without end until told so, through outages. Each project counts its updates in one row,
// and replaces another with ever higher numbers.
class Load {
 public:
  static constexpr int kProjects = 12;

  explicit Load(Process& process) : process_(process), thread_([this] { run_all(); }) {}
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() {
    if (thread_.joinable()) end();
  }

  void end() {
    is_over_ = true;
    thread_.join();
  }

  // Waits for so many more acknowledged writes.
  bool goes_on(std::uint64_t count = 200) {
    const std::uint64_t goal = done_ + count;
    return comes_true([&] { return done_ >= goal; });
  }
  std::uint64_t failures() const { return failures_; }

  // Every acknowledged write is there, and nothing happened twice.
  void check(Session& session) {
    for (int i = 0; i < kProjects; ++i) {
      const std::string where = " WHERE project = 'p" + std::to_string(i) + "' AND scope = ";
      const std::string values = R"(SELECT "values" FROM "Contexts")" + where;
      const auto counted = number_in(session.value(values + "'count'"));
      const Tally& tally = tallies_.at(static_cast<std::size_t>(i));
      EXPECT_GE(counted, tally.acknowledged) << i;
      EXPECT_LE(counted, tally.acknowledged + tally.unknown) << i;
      EXPECT_GE(number_in(session.value(values + "'latest'")),
                latest_.at(static_cast<std::size_t>(i)));
    }
    EXPECT_TRUE(wrong_usage(session).empty());
  }

 private:
  void run_all() {
    run_side_by_side(kProjects * 2, [this](int id) { return work(id); });
  }

  Task<> work(int id) {
    const auto at = static_cast<std::size_t>(id / 2);
    const std::string project = "p" + std::to_string(at);
    for (std::uint64_t number = 1; !is_over_; ++number) {
      Status status;
      if (id % 2 == 0) {
        const RowKey key(project, "count");
        status = co_await process_->update(kCaller, key, add_one, 1'000'000);
        ++(status ? tallies_[at].acknowledged : tallies_[at].unknown);
      } else {
        const RowKey key(project, "latest");
        const std::string values = numbered(number);
        status = co_await process_->replace(kCaller, key, values, 1'000'000);
        if (status) latest_[at] = number;
      }
      if (status) {
        ++done_;
        continue;
      }
      ++failures_;
      EXPECT_EQ(kind_of(status), ErrorKind::unavailable) << status.error().message();
    }
  }

  Process& process_;
  std::array<Tally, kProjects> tallies_;
  std::array<std::atomic<std::uint64_t>, kProjects> latest_{};
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

TEST(PostgresOutage, IsNoReasonNotToStart) {
  PostgresServer server;
  const TestDatabase database(server.port());
  server.stop();
  Process process(database.options());
  EXPECT_EQ(kind_of(replace(process, "p", numbered(1))), ErrorKind::unavailable);
  EXPECT_EQ(kind_of(run(process->probe())), ErrorKind::unavailable);
  server.start();
  EXPECT_TRUE(comes_true([&] { return run(process->probe()).has_value(); }));
  EXPECT_TRUE(replace(process, "p", numbered(1)));
}

TEST(PostgresOutage, IsAnsweredAtOnceWhileItIsKnown) {
  Options options = options_for(postgres_support::free_port(), "none");
  options.patience = seconds(60);
  Process process(options);
  EXPECT_EQ(kind_of(run(process->probe())), ErrorKind::unavailable);
  const auto start = steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(kind_of(replace(process, "p", numbered(1))), ErrorKind::unavailable);
  }
  EXPECT_LT(steady_clock::now() - start, seconds(30));
}

TEST(PostgresOutage, IsLoggedOnceWithWhatToDoAndWithoutThePassword) {
  const FileDescriptor log(::memfd_create("log", MFD_CLOEXEC));
  Options options = TestDatabase().options();
  options.password = Secret("not the pass word");
  {
    Process process(options, log.get());
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(kind_of(run(process->probe())), ErrorKind::unavailable);
    }
  }
  const std::string text = text_of(log.get());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find("check context.options.username and password"), std::string::npos) << text;
  EXPECT_EQ(text.find("not the pass word"), std::string::npos) << text;
}

TEST(PostgresOutage, OfARestartLosesNothing) {
  PostgresServer server;
  const TestDatabase database(server.port());
  const FileDescriptor log(::memfd_create("log", MFD_CLOEXEC));
  {
    Process process(database.options(), log.get());
    Load load(process);
    ASSERT_TRUE(load.goes_on());
    server.stop();
    const auto failures = load.failures();
    EXPECT_TRUE(comes_true([&] { return load.failures() > failures + 100; }));
    server.start();
    EXPECT_TRUE(load.goes_on());
    load.end();
    Session session(database.options());
    load.check(session);
  }
  const std::string text = text_of(log.get());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST(PostgresOutage, OfAPowerCutLosesNothingThatWasAcknowledged) {
  PostgresServer server(PostgresServer::Disk::honest);
  const TestDatabase database(server.port());
  Process process(database.options());
  Load load(process);
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(load.goes_on());
    server.kill();
    server.start();
  }
  EXPECT_TRUE(load.goes_on());
  load.end();
  Session session(database.options());
  load.check(session);
}

TEST(PostgresOutage, OfSingleConnectionsIsHardlySeen) {
  const TestDatabase database;
  Process process(database.options());
  Load load(process);
  Session session(database.options());
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(load.goes_on(50));
    session.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  }
  EXPECT_TRUE(load.goes_on());
  load.end();
  load.check(session);
}

TEST(PostgresOutage, IsNoneWhereFewerConnectionsAreAllowedThanWanted) {
  const TestDatabase database;
  Session session(database.options());
  session.query("ALTER DATABASE " + database.name() + " CONNECTION LIMIT 3");
  session.query("CREATE ROLE few LOGIN PASSWORD 'few'");  // a superuser has no limit
  session.query("GRANT ALL ON SCHEMA public TO few");
  Options options = database.options();
  options.username = "few";
  options.password = Secret("few");
  Process process(options);
  ASSERT_TRUE(run(process->probe()));
  Load load(process);
  EXPECT_TRUE(load.goes_on(500));
  load.end();
  EXPECT_EQ(load.failures(), 0U);
  const double idle =
      process.metric(R"(flowstore_postgres_connections{state="idle",use="context"})");
  const double busy =
      process.metric(R"(flowstore_postgres_connections{state="busy",use="context"})");
  EXPECT_GE(idle + busy, 1);
  EXPECT_LE(idle + busy, 3);
}

TEST(PostgresOutage, OfAPrimaryThatBecameAStandbyEndsWhenItIsOneAgain) {
  const TestDatabase database;
  Process process(database.options());
  ASSERT_TRUE(replace(process, "p", numbered(1)));
  Session session(options_for(shared_postgres().port(), "postgres"));
  const std::string alter = "ALTER DATABASE " + database.name();
  session.query(alter + " SET default_transaction_read_only = on");
  session.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
                database.name() + "'");
  EXPECT_TRUE(comes_true([&] { return !replace(process, "p", numbered(2)); }));
  session.query(alter + " RESET default_transaction_read_only");
  EXPECT_TRUE(comes_true([&] { return replace(process, "p", numbered(3)).has_value(); }));
}

TEST(PostgresOutage, OfAServerThatSaysNothingEndsWithThePatience) {
  const Listener mute = listen_on_loopback();
  Options options = options_for(mute.port, "none");
  options.patience = milliseconds(300);
  Process process(options);
  EXPECT_EQ(kind_of(replace(process, "p", numbered(1))), ErrorKind::unavailable);
  EXPECT_EQ(kind_of(run(process->probe())), ErrorKind::unavailable);
}

}  // namespace
}  // namespace flowstore::context::postgres
