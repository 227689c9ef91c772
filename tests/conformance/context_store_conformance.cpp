#include "conformance/context_store_conformance.h"

#include <algorithm>
#include <ostream>
#include <thread>
#include <utility>

#include "context/characters.h"
#include "support/run.h"

namespace flowstore::context {
namespace {

constexpr std::int64_t kAll = 1'000'000;

Task<Result<ListedPage>> pull(ContextStore& store, const Caller& caller, const std::string& project,
                              std::int64_t after, std::int64_t most) {
  FLOWSTORE_CO_TRY(const Page page, co_await store.list(caller, project, after, most));
  ListedPage listed;
  listed.count = page.count;
  listed.next_cursor = page.next_cursor;
  while (true) {
    FLOWSTORE_CO_TRY(const std::optional<Row> row, co_await page.rows->next());
    if (!row) co_return listed;
    ListedRow& seen = listed.rows.emplace_back();
    seen.id = row->id;
    seen.scope = row->scope;
    seen.values = row->values;
  }
}

}  // namespace

std::string driver_name(const testing::TestParamInfo<Driver>& info) { return info.param.name; }

void PrintTo(const Driver& driver, std::ostream* out) { *out << driver.name; }

void PrintTo(const ListedRow& row, std::ostream* out) {
  *out << row.id << ' ' << row.scope << ' ' << row.values.substr(0, 60);
}

std::string text_of_length(std::size_t length) {
  return R"({"k":")" + std::string(length - 8, 'x') + R"("})";
}

std::string text_of_number(int number) { return R"({"n":)" + std::to_string(number) + "}"; }

int number_of(std::optional<std::string_view> text) {
  return text ? std::stoi(std::string(text->substr(5))) : 0;
}

void run_many(int threads, int tasks, const std::function<Task<>(int id)>& work) {
  const auto run_some = [&work, tasks](int thread) {
    boost::asio::io_context loop;
    std::exception_ptr thrown;
    for (int i = 0; i < tasks; ++i) {
      boost::asio::co_spawn(loop, work(thread * tasks + i),
                            [&thrown](const std::exception_ptr& caught) {
                              if (caught) thrown = caught;
                            });
    }
    loop.run();
    EXPECT_EQ(thrown, nullptr);
  };
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) running.emplace_back(run_some, thread);
  for (std::thread& thread : running) thread.join();
}

void ContextStoreConformance::SetUp() {
  // "ListsInPages/0" is the full name.
  std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
  test.resize(std::min(test.find('/'), test.size()));
  const auto& deviations = GetParam().deviations;
  if (std::find(deviations.begin(), deviations.end(), test) != deviations.end()) {
    GTEST_SKIP() << GetParam().name << " deviates: " << test;
  }
  made_ = GetParam().make();
}

Status ContextStoreConformance::replace(const RowKey& key, NewValues values, CharacterLimit limit) {
  return run(store().replace(caller_, key, std::move(values), limit));
}

Status ContextStoreConformance::replace(const std::string& scope, NewValues values,
                                        CharacterLimit limit) {
  return replace(RowKey("p", scope), std::move(values), limit);
}

Status ContextStoreConformance::update(const std::string& scope, Mutation mutation,
                                       CharacterLimit limit) {
  const RowKey key("p", scope);
  return run(store().update(caller_, key, std::move(mutation), limit));
}

Status ContextStoreConformance::clean(const std::string& project,
                                      std::function<bool(std::string_view)> is_kept) {
  return run(store().clean(caller_, project, std::move(is_kept)));
}

std::optional<std::string> ContextStoreConformance::values(const RowKey& key) {
  auto read = run(store().read(caller_, key));
  if (read) return *std::move(read);
  ADD_FAILURE() << "read: " << read.error().message();
  return std::nullopt;
}

std::optional<std::string> ContextStoreConformance::values(const std::string& scope) {
  return values(RowKey("p", scope));
}

Result<ListedPage> ContextStoreConformance::list(const std::string& project, std::int64_t after,
                                                 std::int64_t most) {
  return run(pull(store(), caller_, project, after, most));
}

std::vector<std::string> ContextStoreConformance::scopes(const std::string& project) {
  const auto page = list(project, 0, kAll);
  EXPECT_TRUE(page);
  std::vector<std::string> scopes;
  if (!page) return scopes;
  for (const ListedRow& row : page->rows) scopes.push_back(row.scope);
  return scopes;
}

std::uint64_t ContextStoreConformance::characters_of(const std::string& project) {
  const auto page = list(project, 0, kAll);
  EXPECT_TRUE(page);
  std::uint64_t sum = 0;
  if (!page) return sum;
  for (const ListedRow& row : page->rows) sum += characters(row.values);
  return sum;
}

}  // namespace flowstore::context
