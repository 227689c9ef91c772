#include "files/shared/postgres_locks.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <utility>

#include "base/pause.h"
#include "files/shared/statements.h"

namespace flowstore::files::shared {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Shorter than a client waits, with time left for what the lock is for.
constexpr milliseconds kPatience{1500};
constexpr milliseconds kStatementTime{1000};
// Between the questions whether somebody else has let go.
constexpr milliseconds kShortestPause{4};
constexpr milliseconds kLongestPause{40};
// Between the tries to let go.
constexpr milliseconds kUnlockPause{300};

Error is_held() {
  return {ErrorKind::unavailable, "storage_busy",
          "Too many write to this file at the same time; try again in a moment"};
}

// Who was asked said something of quotas, which means nothing to whoever writes a file without one.
Error no_turn() {
  return {ErrorKind::unavailable, "storage_unavailable",
          "Changes of this file cannot take turns at the moment; try again in a few seconds"};
}

// A name that nobody else in any process has.
std::string new_holder() {
  static const std::uint64_t process =
      std::random_device()() | std::uint64_t{std::random_device()()} << 32U;
  static std::atomic<std::uint64_t> count = 0;
  return std::to_string(process) + "-" + std::to_string(++count);
}

// Again and again while the database is away: otherwise nobody could change the file until the lock
// is over by itself, long after the database is back.
Task<> unlock(Engine& engine, std::string name, std::string holder) {
  postgres::Pipeline statement;
  statement.add(sql::kUnlock, name, holder);
  const auto end = steady_clock::now() + kLockTime;
  const auto ticket = engine.enter_retries();
  while (true) {
    const auto told = co_await engine.run(statement, kStatementTime);
    if (told || !ticket || engine.is_stopped() || steady_clock::now() >= end) co_return;
    co_await sleep_for(jittered(kUnlockPause));
  }
}

}  // namespace

class PostgresLocks::Held final : public Lock {
 public:
  Held(Engine& engine, std::string name, std::string holder)
      : engine_(engine), name_(std::move(name)), holder_(std::move(holder)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() override {
    spawn(engine_.background(), "unlock file",
          unlock(engine_, std::move(name_), std::move(holder_)));
  }

 private:
  Engine& engine_;
  std::string name_;
  std::string holder_;
};

Task<Result<std::unique_ptr<KeyLocks::Lock>>> PostgresLocks::take(const FileKey& key) {
  const std::string name = bucket_ + "/" + key.path();
  const std::string holder = new_holder();
  const std::int64_t seconds = kLockTime.count();
  postgres::Pipeline statement;
  statement.add(sql::kLock, name, holder, seconds);
  const auto deadline = steady_clock::now() + kPatience;
  for (milliseconds pause = kShortestPause;; pause = std::min(pause * 2, kLongestPause)) {
    const auto rows = co_await engine_.run(statement, kStatementTime);
    // It may be ours all the same.
    if (!rows) spawn(engine_.background(), "unlock file", unlock(engine_, name, holder));
    if (!rows) co_return no_turn();
    if (rows->count() > 0) {
      co_return std::unique_ptr<Lock>(std::make_unique<Held>(engine_, name, holder));
    }
    if (steady_clock::now() + pause >= deadline) co_return is_held();
    co_await sleep_for(jittered(pause));
  }
}

}  // namespace flowstore::files::shared
