// What was answered is there after a kill.

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "context/sqlite/connection.h"
#include "context/sqlite/sqlite_store.h"
#include "support/run.h"

namespace flowstore::context::sqlite {
namespace {

constexpr int kScopes = 32;

// One answered write.
struct Answered {
  int scope = 0;
  int number = 0;
};

// A flowstore that reports every answer to the pipe, until it is killed.
[[noreturn]] void write_forever(const Options& options, int pipe) {
  const SystemClock clock;
  Log log(LogLevel::silent, LogFormat::json, clock);
  metrics::Registry registry;
  BlockingPool io(1);
  const Caller caller;
  auto store = make_store(options, io, clock, log, registry);
  if (!store) ::_exit(1);
  boost::asio::io_context loop;
  const auto write = [&](int scope) -> Task<> {
    const RowKey key("p", "s" + std::to_string(scope));
    for (int number = 1;; ++number) {
      const NewValues values("{\"i\":" + std::to_string(number) + "}");
      const Status outcome = co_await (*store)->replace(caller, key, values, 1'000'000);
      Answered answered;
      answered.scope = scope;
      answered.number = number;
      if (!outcome || ::write(pipe, &answered, sizeof(answered)) < 0) ::_exit(1);
    }
  };
  for (int i = 0; i < kScopes; ++i) boost::asio::co_spawn(loop, write(i), boost::asio::detached);
  loop.run();
  ::_exit(1);
}

class SqliteKill : public testing::TestWithParam<Journal> {};

// No fixture with threads: a process that has some should not fork.
TEST_P(SqliteKill, KeepsWhatWasAnswered) {
  std::string folder = testing::TempDir() + "/sqlite-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  Options options;
  options.file = folder + "/context.db";
  options.journal = GetParam();
  options.patience = std::chrono::seconds(60);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) write_forever(options, ends[1]);
  const FileDescriptor answers(ends[0]);
  ::close(ends[1]);

  std::array<int, kScopes> last{};
  int sum = 0;
  Answered answered;
  while (::read(answers.get(), &answered, sizeof(answered)) == sizeof(answered)) {
    last.at(static_cast<std::size_t>(answered.scope)) = answered.number;
    if (++sum != 20 * kScopes) continue;
    EXPECT_EQ(::kill(child, SIGKILL), 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
  ASSERT_GE(sum, 20 * kScopes);

  const SystemClock clock;
  Log log(LogLevel::silent, LogFormat::json, clock);
  metrics::Registry registry;
  BlockingPool io(1);
  const Caller caller;
  const auto store = make_store(options, io, clock, log, registry);
  ASSERT_TRUE(store);
  for (int i = 0; i < kScopes; ++i) {
    const RowKey key("p", "s" + std::to_string(i));
    const auto values = run((*store)->read(caller, key));
    ASSERT_TRUE(values && *values);
    const int number = std::stoi((*values)->substr(5));
    const int expected = last.at(static_cast<std::size_t>(i));
    EXPECT_GE(number, expected);
    EXPECT_LE(number, expected + 1) << "one more may have been written and not answered";
  }
  Connection other;
  ASSERT_EQ(other.open(options.file, Missing::fail, std::chrono::seconds(60)), 0);
  Code code = 0;
  EXPECT_EQ(other.ask("PRAGMA integrity_check", code), "ok");
  EXPECT_EQ(other.ask("SELECT `rows` FROM flowstore_context_counts", code),
            std::to_string(kScopes));
  (*store)->stop();
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Journals, SqliteKill, testing::Values(Journal::wal, Journal::rollback));

}  // namespace
}  // namespace flowstore::context::sqlite
