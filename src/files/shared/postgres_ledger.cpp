#include "files/shared/postgres_ledger.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/pause.h"
#include "files/shared/statements.h"

namespace flowstore::files::shared {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Of one statement: with the store's own time it stays below the 3 s of a client.
constexpr milliseconds kStatementTime{1000};
// A first count that takes longer goes on, but nobody waits for it.
constexpr milliseconds kPatience{2300};
constexpr milliseconds kLook{20};
// After that somebody else may count, should the one who began have died.
constexpr std::int64_t kCountSeconds = 60;
// Beyond it the next count, after max_age, must do.
constexpr std::size_t kMostUnrecorded = 10'000;

std::int64_t signed_of(std::uint64_t bytes) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, INT64_MAX));
}

Error still_counting() {
  return {ErrorKind::unavailable, "quota_unavailable",
          "The files of this project are being counted; try again in a few seconds"};
}

}  // namespace

// A change that has a row of its own until it ends.
class PostgresLedger::Announced final : public Change {
 public:
  Announced(PostgresLedger& ledger, ProjectKey project, std::int64_t id)
      : ledger_(ledger), project_(std::move(project)), id_(id) {}
  Announced(const Announced&) = delete;
  Announced& operator=(const Announced&) = delete;
  ~Announced() override {
    if (!has_ended_) {
      spawn(ledger_.engine_.background(), "drop change", drop(ledger_, std::move(project_), id_));
    }
  }

  Task<> commit(std::int64_t difference) override {
    has_ended_ = true;
    co_await end(ledger_, project_, id_, difference);
  }

  Task<> doubt() override {
    has_ended_ = true;
    spawn(ledger_.engine_.background(), "doubt change", doubt(ledger_, std::move(project_), id_));
    co_return;
  }

 private:
  static Task<> end(PostgresLedger& ledger, const ProjectKey& project, std::int64_t id,
                    std::int64_t difference) {
    postgres::Pipeline statement;
    statement.add(sql::kEnd, id, difference);
    co_await ledger.record(project, statement);
  }
  static Task<> drop(PostgresLedger& ledger, ProjectKey project, std::int64_t id) {
    co_await end(ledger, project, id, 0);
  }
  // Whoever was told of the failure has waited long enough.
  static Task<> doubt(PostgresLedger& ledger, ProjectKey project, std::int64_t id) {
    postgres::Pipeline statement;
    statement.add(sql::kDoubt, id);
    co_await ledger.record(project, statement);
  }

  PostgresLedger& ledger_;
  ProjectKey project_;
  std::int64_t id_;
  bool has_ended_ = false;
};

// A change that nobody has to allow: told when it has been made.
class PostgresLedger::Unannounced final : public Change {
 public:
  Unannounced(PostgresLedger& ledger, ProjectKey project, std::int64_t growth)
      : ledger_(ledger), project_(std::move(project)), growth_(growth) {}

  Task<> commit(std::int64_t difference) override {
    postgres::Pipeline statement;
    const std::string row = ledger_.row_of(project_);
    statement.add(sql::kAdd, row, std::max<std::int64_t>(difference, 0));
    // What it is smaller by is found by the next count: a count under way may have seen it already.
    if (difference < 0) statement.add(sql::kForget, row);
    co_await ledger_.record(project_, statement);
  }

  Task<> doubt() override {
    spawn(ledger_.engine_.background(), "doubt change",
          doubt(ledger_, std::move(project_), growth_));
    co_return;
  }

 private:
  static Task<> doubt(PostgresLedger& ledger, ProjectKey project, std::int64_t growth) {
    postgres::Pipeline statement;
    const std::string row = ledger.row_of(project);
    statement.add(sql::kAdd, row, growth);
    statement.add(sql::kForget, row);
    co_await ledger.record(project, statement);
  }

  PostgresLedger& ledger_;
  ProjectKey project_;
  std::int64_t growth_;
};

PostgresLedger::PostgresLedger(Engine& engine, std::string bucket, FileStore& store,
                               metrics::Registry& registry, LedgerOptions options)
    : engine_(engine),
      bucket_(std::move(bucket)),
      store_(store),
      options_(options),
      scans_(registry.counter("flowstore_quota_scans_total",
                              "Walks over a project to count its bytes.")),
      lost_(registry.counter("flowstore_quota_unrecorded_total",
                             "Changes that could not be recorded because PostgreSQL was out.")) {}

Task<Result<std::unique_ptr<UsageLedger::Change>>> PostgresLedger::announce(
    const ProjectKey& project, std::int64_t difference, std::optional<std::uint64_t> quota) {
  const std::int64_t growth = std::max<std::int64_t>(difference, 0);
  if (quota && difference >= 0) {
    co_return co_await announce_within(project, static_cast<std::uint64_t>(growth), *quota);
  }
  if (growth > 0) {
    co_return std::unique_ptr<Change>(std::make_unique<Unannounced>(*this, project, growth));
  }
  const std::string row = row_of(project);
  postgres::Pipeline statement;
  statement.add(sql::kAnnounceFreely, row, growth);
  const auto rows = co_await engine_.run(statement, kStatementTime);
  if (!rows)
    co_return std::unique_ptr<Change>(std::make_unique<Unannounced>(*this, project, growth));
  co_return std::unique_ptr<Change>(
      std::make_unique<Announced>(*this, project, rows->number(0, 0)));
}

Task<Result<std::unique_ptr<UsageLedger::Change>>> PostgresLedger::announce_within(
    const ProjectKey& project, std::uint64_t growth, std::uint64_t quota) {
  const std::string row = row_of(project);
  postgres::Pipeline statement;
  statement.add(sql::kAnnounce, row, signed_of(growth), signed_of(quota));
  co_await make_up_for_lost();
  while (true) {
    const auto rows = co_await engine_.run(statement, kStatementTime);
    if (!rows) co_return rows.error();
    if (rows->count() > 0) {
      co_return std::unique_ptr<Change>(
          std::make_unique<Announced>(*this, project, rows->number(0, 0)));
    }
    FLOWSTORE_CO_TRY(const Usage usage, co_await look(project));
    if (usage.used) {
      // It may have become smaller since it was refused; then once more.
      if (*usage.used + growth >= quota) {
        if (usage.is_old) recount(project);
        co_return Error::over_quota(quota);
      }
      continue;
    }
    FLOWSTORE_CO_TRY_STATUS(co_await count_first(project));
  }
}

Task<Result<std::uint64_t>> PostgresLedger::used(const ProjectKey& project) {
  co_await make_up_for_lost();
  FLOWSTORE_CO_TRY(const Usage usage, co_await look(project));
  if (!usage.used) co_return co_await count_first(project);
  if (usage.is_old) recount(project);
  co_return *usage.used;
}

Task<Result<PostgresLedger::Usage>> PostgresLedger::look(const ProjectKey& project) {
  const std::string row = row_of(project);
  postgres::Pipeline statement;
  const std::int64_t max_age = options_.max_age.count();
  statement.add(sql::kUsed, row, max_age);
  FLOWSTORE_CO_TRY(const auto rows, co_await engine_.run(statement, kStatementTime));
  Usage usage;
  if (rows.count() == 0 || rows.is_null(0, 0)) co_return usage;
  usage.used = static_cast<std::uint64_t>(rows.number(0, 0));
  usage.is_old = rows.flag(0, 1);
  co_return usage;
}

// One process counts, the others wait for it.
Task<Result<std::uint64_t>> PostgresLedger::count_first(const ProjectKey& project) {
  const auto deadline = steady_clock::now() + kPatience;
  while (steady_clock::now() < deadline) {
    FLOWSTORE_CO_TRY(const auto beginning, co_await begin_count(project));
    if (beginning) co_return co_await count(project, *beginning);
    co_await sleep_for(jittered(kLook));
    FLOWSTORE_CO_TRY(const Usage usage, co_await look(project));
    if (usage.used) co_return *usage.used;
  }
  co_return still_counting();
}

Task<Result<std::optional<PostgresLedger::Beginning>>> PostgresLedger::begin_count(
    const ProjectKey& project) {
  const std::string row = row_of(project);
  postgres::Pipeline statement;
  statement.add(sql::kBeginCount, row, kCountSeconds);
  FLOWSTORE_CO_TRY(const auto rows, co_await engine_.run(statement, kStatementTime));
  std::optional<Beginning> beginning;
  if (rows.count() == 0) co_return beginning;
  beginning.emplace();
  beginning->announced = rows.number(0, 0);
  beginning->changes = rows.number(0, 1);
  beginning->growth_under_way = rows.number(0, 2);
  beginning->under_way = rows.number(0, 3);
  co_return beginning;
}

Task<Result<std::uint64_t>> PostgresLedger::count(const ProjectKey& project, Beginning beginning) {
  scans_.add();
  const auto found = co_await store_.usage(project);
  const std::string row = row_of(project);
  postgres::Pipeline statement;
  if (!found) {
    statement.add(sql::kGiveUpCount, row);
    static_cast<void>(co_await engine_.run(statement, kStatementTime));
    co_return found.error();
  }
  // A count that met changes is made again sooner.
  const std::int64_t aged = options_.max_age.count() - options_.max_age.count() / 6;
  statement.add(sql::kEndCount, row, signed_of(*found), beginning.announced, beginning.changes,
                beginning.growth_under_way, beginning.under_way, aged);
  FLOWSTORE_CO_TRY(const auto rows, co_await engine_.run(statement, kStatementTime));
  // The row is gone with the database's crash.
  if (rows.count() == 0) co_return still_counting();
  co_return static_cast<std::uint64_t>(rows.number(0, 0));
}

void PostgresLedger::recount(const ProjectKey& project) {
  {
    const std::lock_guard lock(mutex_);
    if (!counting_.insert(project.path()).second) return;
  }
  spawn(engine_.background(), "recount", recount_now(project));
}

Task<> PostgresLedger::recount_now(ProjectKey project) {
  const auto beginning = co_await begin_count(project);
  if (beginning && *beginning) static_cast<void>(co_await count(project, **beginning));
  const std::lock_guard lock(mutex_);
  counting_.erase(project.path());
}

Task<> PostgresLedger::record(const ProjectKey& project, const postgres::Pipeline& statement) {
  const auto recorded = co_await engine_.run(statement, kStatementTime);
  if (recorded) co_return;
  lost_.add();
  const std::lock_guard lock(mutex_);
  if (unrecorded_.size() < kMostUnrecorded) unrecorded_.insert(row_of(project));
}

// The database is back, or not: then they are lost again.
Task<> PostgresLedger::make_up_for_lost() {
  std::vector<std::string> rows;
  {
    const std::lock_guard lock(mutex_);
    if (unrecorded_.empty()) co_return;
    rows.assign(unrecorded_.begin(), unrecorded_.end());
    unrecorded_.clear();
  }
  for (const std::string& row : rows) {
    postgres::Pipeline statement;
    statement.add(sql::kForget, row);
    const auto told = co_await engine_.run(statement, kStatementTime);
    if (told) continue;
    const std::lock_guard lock(mutex_);
    unrecorded_.insert(row);
  }
}

}  // namespace flowstore::files::shared
