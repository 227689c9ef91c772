#include "files/shared/engine.h"

#include <utility>

#include "files/shared/statements.h"

namespace flowstore::files::shared {
namespace {

using postgres::Connection;
using postgres::Pipeline;
using postgres::Trouble;

constexpr std::chrono::seconds kLookTime{2};
constexpr std::chrono::seconds kSetUpTime{5};  // others may be making the tables

Error no_answer() {
  return {ErrorKind::unavailable, "quota_unavailable",
          "The quota cannot be checked at the moment; try again in a few seconds"};
}

Task<std::optional<Trouble>> make_tables(Connection& connection, Connection::Terms terms) {
  Pipeline make;
  make.add(sql::kBegin);
  make.add(sql::kLockSetUp);
  make.add(sql::kMakeUsage);
  make.add(sql::kMakeChanges);
  make.add(sql::kIndexChanges);
  make.add(sql::kMakeLocks);
  make.add(sql::kCommit);
  postgres::Answer made = co_await connection.run(make, terms);
  if (made.trouble && !made.trouble->is_lost) {
    Pipeline undo;
    undo.add(sql::kRollback);
    co_await connection.run(undo, std::move(terms));
  }
  co_return std::move(made.trouble);
}

}  // namespace

// One look where everything is there: many users may not create anything.
Task<std::optional<Trouble>> Tables::set_up(Connection& connection) {
  const auto now = std::chrono::steady_clock::now();
  Connection::Terms soon(now + kLookTime, nullptr);
  Pipeline look;
  look.add(sql::kLookForTables);
  postgres::Answer found = co_await connection.run(look, std::move(soon));
  if (found.trouble) co_return std::move(found.trouble);
  if (found.results.front().flag(0, 0)) co_return std::nullopt;
  Connection::Terms terms(now + kSetUpTime, nullptr);
  co_return co_await make_tables(connection, std::move(terms));
}

std::vector<const postgres::Sql*> Tables::statements() const {
  return {&sql::kAnnounce, &sql::kAnnounceFreely, &sql::kEnd,  &sql::kDoubt,
          &sql::kAdd,      &sql::kForget,         &sql::kUsed, &sql::kBeginCount,
          &sql::kEndCount, &sql::kGiveUpCount,    &sql::kLock, &sql::kUnlock};
}

Engine::Engine(const postgres::Options& options, postgres::Tls tls, Executor background,
               const Clock& clock, Log& log, metrics::Registry& registry)
    : background_(std::move(background)),
      pool_(calls_.loop(), options, postgres::Endpoint(options, std::move(tls)), tables_, clock,
            log, registry, [this] { runner_.pump(); }),
      runner_(pool_),
      log_(log),
      statements_(registry.counter("flowstore_file_sharing_statements_total",
                                   "Statements about quotas and locks that processes share.")),
      failures_(registry.counter("flowstore_file_sharing_failures_total",
                                 "Those of them that had no answer.")) {
  auto look_after = [this](postgres::Instant now) {
    pool_.look_after(now);
    runner_.look_after(now);
  };
  calls_.start([this] { pool_.start(); }, look_after);
}

Engine::~Engine() { stop(); }

Task<Result<postgres::Rows>> Engine::run(const Pipeline& statement,
                                         std::chrono::milliseconds time) {
  const postgres::Runner::Asker asker(nullptr, std::chrono::steady_clock::now() + time);
  auto work = [&] { return runner_.run(statement, asker); };
  statements_.add();
  auto answer = co_await calls_.call(work);
  if (answer && !answer->trouble) co_return std::move(answer->results.front());
  failures_.add();
  if (answer && postgres::kind_of(*answer->trouble) != ErrorKind::unavailable) {
    LogFields fields;
    fields.text("sqlstate", answer->trouble->sqlstate).text("reason", answer->trouble->message);
    log_.error("PostgreSQL refused a statement about the usage of files.", fields);
  }
  co_return no_answer();
}

std::shared_ptr<void> Engine::enter_retries() {
  constexpr int kMost = 1000;
  const std::shared_ptr<void> ticket(this, [this](void*) { --retries_; });
  return ++retries_ > kMost ? nullptr : ticket;
}

void Engine::stop() {
  is_stopped_ = true;
  calls_.stop([this] {
    pool_.stop();
    runner_.pump();
  });
}

}  // namespace flowstore::files::shared
