#include "conformance/context_store_conformance.h"
#include "support/postgres_database.h"

namespace flowstore::context {
namespace {

using postgres::Options;
using postgres::Process;
using postgres::TestDatabase;

class PostgresUnderTest final : public StoreUnderTest {
 public:
  explicit PostgresUnderTest(const Options& options) : options_(options) {}

  ContextStore& store() override { return process_->store(); }
  void reopen() override {
    process_.reset();
    process_ = std::make_unique<Process>(options_);
  }

 private:
  Options options_;
  std::unique_ptr<Process> process_ = std::make_unique<Process>(options_);
};

Driver driver_of(std::string name, std::function<Options()> options) {
  Driver driver;
  driver.name = std::move(name);
  driver.make = [options = std::move(options)] {
    return std::make_unique<PostgresUnderTest>(options());
  };
  driver.traits.longest_name = 255;
  driver.traits.takes_negative_most = false;
  return driver;
}

Driver postgres_driver() {
  return driver_of("Postgres", [] { return TestDatabase().options(); });
}

// Behind a pooler, over fewer connections than there are clients.
Driver pooled_driver() {
  return driver_of("PostgresThroughPgBouncer", [] {
    static const PgBouncer bouncer(shared_postgres().port(), 3);
    Options options = TestDatabase().options();
    options.port = bouncer.port();
    return options;
  });
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Postgres, ContextStoreConformance,
                         testing::Values(postgres_driver(), pooled_driver()), driver_name);

}  // namespace flowstore::context
