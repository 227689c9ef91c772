// The contract of context::ContextStore as tests. A driver joins with one file that says how to
// make it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, ContextStoreConformance, testing::Values(memory_driver()),
//                            driver_name);

#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "context/context_store.h"

namespace flowstore::context {

// An empty store, with whatever it needs to live.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual ContextStore& store() = 0;
  // Ends the store and opens it again on the same rows. Called only if they survive that.
  virtual void reopen() = 0;
};

// What databases may differ in. As it stands here is the goal.
struct Traits {
  bool survives_reopen = true;
  std::size_t longest_name = 500;   // characters of a project or scope; more is refused as invalid
  bool takes_negative_most = true;  // as "all rows"; else it is refused as invalid
};

// One driver, in one of its configurations.
struct Driver {
  std::string name;  // letters and digits
  std::function<std::unique_ptr<StoreUnderTest>()> make;
  Traits traits = {};
  // Tests of the suite that the driver does not pass, by name. They are skipped, and users read
  // about them in docs/storage.md. Empty is the goal.
  std::vector<std::string> deviations = {};
};

// What a test is called by, for INSTANTIATE_TEST_SUITE_P and messages.
std::string driver_name(const testing::TestParamInfo<Driver>& info);
void PrintTo(const Driver& driver, std::ostream* out);

// A row as tests compare it.
struct ListedRow {
  std::int64_t id = 0;
  std::string scope;
  std::string values;
  bool operator==(const ListedRow&) const = default;
};
void PrintTo(const ListedRow& row, std::ostream* out);

// A page, pulled to its end.
struct ListedPage {
  std::uint64_t count = 0;
  std::optional<std::int64_t> next_cursor;
  std::vector<ListedRow> rows;
};

// The text of a JSON object that is `length` characters long (at least 8), and of one that holds
// the number.
std::string text_of_length(std::size_t length);
std::string text_of_number(int number);
// What text_of_number() was given; 0 for no row.
int number_of(std::optional<std::string_view> text);

// Runs `work(0)`, `work(1)`, ... to their ends, `tasks` of them side by side on each of `threads`
// event loops.
void run_many(int threads, int tasks, const std::function<Task<>(int id)>& work);

// The suite's words. Each runs to its end on the calling thread; safe to use from several. A plain
// scope is one of the project "p".
class ContextStoreConformance : public testing::TestWithParam<Driver> {
 protected:
  void SetUp() override;

  ContextStore& store() { return made_->store(); }
  void reopen() { made_->reopen(); }
  static const Traits& traits() { return GetParam().traits; }

  Status replace(const RowKey& key, NewValues values, CharacterLimit limit = std::nullopt);
  Status replace(const std::string& scope, NewValues values, CharacterLimit limit = std::nullopt);
  Status update(const std::string& scope, Mutation mutation, CharacterLimit limit = std::nullopt);
  Status clean(const std::string& project, std::function<bool(std::string_view scope)> is_kept);

  // The values as stored. A failed read is a failure of the test.
  std::optional<std::string> values(const RowKey& key);
  std::optional<std::string> values(const std::string& scope);

  Result<ListedPage> list(const std::string& project, std::int64_t after, std::int64_t most);
  // The scopes of the project in the order of their ids.
  std::vector<std::string> scopes(const std::string& project = "p");
  // What the quota counts.
  std::uint64_t characters_of(const std::string& project = "p");

  // A caller who stays.
  Caller caller_;

 private:
  std::unique_ptr<StoreUnderTest> made_;
};

}  // namespace flowstore::context
