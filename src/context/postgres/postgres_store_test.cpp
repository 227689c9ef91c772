#include "context/postgres/postgres_store.h"

#include <gtest/gtest.h>

#include "context/postgres/test_database.h"

namespace flowstore::context::postgres {
namespace {

TEST(PostgresStore, KeepsWhatItIsGiven) {
  const TestDatabase database;
  Process process(database.options());
  const Caller caller;
  const RowKey key("p1", "f1.flow");
  EXPECT_TRUE(run(process->replace(caller, key, R"({"a":1})", std::nullopt)).has_value());
  const auto values = run(process->read(caller, key));
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ(*values, R"({"a":1})");
}

}  // namespace
}  // namespace flowstore::context::postgres
