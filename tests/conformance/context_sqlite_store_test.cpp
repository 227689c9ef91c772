#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "conformance/context_store_conformance.h"
#include "context/sqlite/sqlite_store.h"
#include "metrics/registry.h"

namespace flowstore::context {
namespace {

class SqliteUnderTest final : public StoreUnderTest {
 public:
  explicit SqliteUnderTest(sqlite::Journal journal) {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr) << folder_;
    options_.file = folder_ + "/var/context.db";
    options_.journal = journal;
    // Sanitizers on a busy machine are slow; nothing here waits for the end of it.
    options_.patience = std::chrono::seconds(60);
    open();
  }
  ~SqliteUnderTest() override {
    close();
    std::filesystem::remove_all(folder_);
  }

  ContextStore& store() override { return *store_; }
  void reopen() override {
    close();
    open();
  }

 private:
  void open() {
    auto made = sqlite::make_store(options_, io_, clock_, log_, registry_);
    ASSERT_TRUE(made) << made.error().message();
    store_ = *std::move(made);
  }
  void close() {
    if (store_) store_->stop();
    store_.reset();
  }

  std::string folder_ = testing::TempDir() + "/context-XXXXXX";
  sqlite::Options options_;
  SystemClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  BlockingPool io_{4};
  std::unique_ptr<ContextStore> store_;
};

Driver sqlite_driver(std::string name, sqlite::Journal journal) {
  Driver driver;
  driver.name = std::move(name);
  driver.make = [journal] { return std::make_unique<SqliteUnderTest>(journal); };
  return driver;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Sqlite, ContextStoreConformance,
                         testing::Values(sqlite_driver("SqliteWal", sqlite::Journal::wal),
                                         sqlite_driver("SqliteRollback",
                                                       sqlite::Journal::rollback)),
                         driver_name);

}  // namespace flowstore::context
