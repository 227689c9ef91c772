#include <filesystem>
#include <stdexcept>

#include <gtest/gtest.h>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "context/memory/memory_store.h"
#include "context/sqlite/connection.h"
#include "context/sqlite/sqlite_store.h"
#include "isolation/grounds.h"
#include "isolation/hostile.h"
#include "metrics/registry.h"
#include "support/postgres_database.h"
#include "support/run.h"

namespace flowstore::isolation {
namespace {

// Nobody can look into it but the driver itself.
class MemoryContext final : public ContextGround {
 public:
  context::ContextStore& store() override { return *store_; }

  Belongings others() override {
    Belongings all;
    for (const Place& place : kVictims) run(add_rows(all, std::string(place.project)));
    return all;
  }

  std::vector<std::string> secret_words() const override { return {}; }

 private:
  Task<> add_rows(Belongings& all, std::string project) {
    const Caller caller;
    auto page = co_await store_->list(caller, project, 0, 1000);
    if (!page) throw std::runtime_error(page.error().message());
    while (true) {
      auto row = co_await page->rows->next();
      if (!row) throw std::runtime_error(row.error().message());
      if (!*row) co_return;
      const context::Row& found = **row;
      all[project + " " + std::to_string(found.id) + " " + found.scope] = found.values;
    }
  }

  std::unique_ptr<context::ContextStore> store_ = context::memory::make_store();
};

class SqliteContext final : public ContextGround {
 public:
  SqliteContext() {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error(folder_);
    context::sqlite::Options options;
    options.file = file();
    // Sanitizers on a busy machine are slow; nothing here waits for the end of it.
    options.patience = std::chrono::seconds(60);
    auto made = context::sqlite::make_store(options, io_, clock_, log_, registry_);
    if (!made) throw std::runtime_error(made.error().message());
    store_ = *std::move(made);
  }
  ~SqliteContext() override {
    store_->stop();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  context::ContextStore& store() override { return *store_; }

  Belongings others() override {
    context::sqlite::Connection other;
    context::sqlite::Code code =
        other.open(file(), context::sqlite::Missing::fail, std::chrono::seconds(60));
    const std::string statement =
        "SELECT group_concat(id || quote(project) || quote(scope) || quote(\"values\") || "
        "updatedAt) FROM (SELECT * FROM Contexts WHERE project <> '" +
        std::string(kAttacker.project) + "' ORDER BY id)";
    Belongings all;
    if (code == 0) all["rows"] = other.ask(statement.c_str(), code);
    if (code != 0) throw std::runtime_error(std::string(other.message()));
    return all;
  }

  std::vector<std::string> secret_words() const override {
    return {std::filesystem::path(folder_).filename().string(), "Contexts", "SQLITE"};
  }

 private:
  std::string file() const { return folder_ + "/context.db"; }

  std::string folder_ = testing::TempDir() + "/isolation-XXXXXX";
  SystemClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  BlockingPool io_{2};
  std::unique_ptr<context::ContextStore> store_;
};

class PostgresContext final : public ContextGround {
 public:
  context::ContextStore& store() override { return process_.store(); }

  Belongings others() override {
    Belongings all;
    const std::string who = " WHERE project <> '" + std::string(kAttacker.project) + "'";
    add(all, R"(SELECT id, project, scope, "values", "updatedAt" FROM "Contexts")" + who);
    add(all, "SELECT 'usage', project, chars, rows FROM flowstore_usage" + who);
    return all;
  }

  std::vector<std::string> secret_words() const override {
    return {"Contexts", "flowstore_usage", kPostgresPassword};
  }

 private:
  void add(Belongings& all, const std::string& statement) {
    for (const auto& row : session_.query(statement)) {
      std::string words;
      for (const std::string& word : row) words += word + " ";
      all[words] = "row";
    }
  }

  // As above: nothing waits for the end of the store's patience.
  static context::postgres::Options patient(context::postgres::Options options) {
    options.patience = std::chrono::seconds(60);
    return options;
  }

  context::postgres::TestDatabase database_;
  context::postgres::Process process_{patient(database_.options())};
  context::postgres::Session session_{database_.options()};
};

}  // namespace

std::unique_ptr<ContextGround> memory_context() { return std::make_unique<MemoryContext>(); }
std::unique_ptr<ContextGround> sqlite_context() { return std::make_unique<SqliteContext>(); }
std::unique_ptr<ContextGround> postgres_context() { return std::make_unique<PostgresContext>(); }

}  // namespace flowstore::isolation
