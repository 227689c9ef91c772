// Pages of rows: order, cursors, and rows that are pulled slowly.

#include <algorithm>
#include <string>
#include <vector>

#include "conformance/context_store_conformance.h"
#include "support/run.h"

namespace flowstore::context {
namespace {

std::vector<std::string> scopes_in(const ListedPage& page) {
  std::vector<std::string> scopes;
  for (const ListedRow& row : page.rows) scopes.push_back(row.scope);
  return scopes;
}

std::string nth(int i) { return "s" + std::to_string(i); }

TEST_P(ContextStoreConformance, ListsAnEmptyProject) {
  ASSERT_TRUE(replace(RowKey("other", "s"), "{}"));
  const auto page = list("p", 0, 10);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->count, 0U);
  EXPECT_EQ(page->next_cursor, std::nullopt);
  EXPECT_TRUE(page->rows.empty());
}

TEST_P(ContextStoreConformance, ListsInTheOrderOfIds) {
  for (const char* scope : {"z", "a", "m"}) {
    ASSERT_TRUE(replace(scope, R"({"is":")" + std::string(scope) + R"("})"));
    ASSERT_TRUE(replace(RowKey("other", scope), "{}"));
  }
  ASSERT_TRUE(replace("z", R"({"is":"z again"})"));
  const auto page = list("p", 0, 10);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->count, 3U);
  EXPECT_EQ(page->next_cursor, std::nullopt);
  EXPECT_EQ(scopes_in(*page), (std::vector<std::string>{"z", "a", "m"}));
  EXPECT_EQ(page->rows[0].values, R"({"is":"z again"})");
  EXPECT_EQ(page->rows[2].values, R"({"is":"m"})");
  EXPECT_LT(page->rows[0].id, page->rows[1].id);
}

TEST_P(ContextStoreConformance, ListsInPages) {
  std::vector<std::string> all;
  for (int i = 0; i < 7; ++i) {
    all.push_back(nth(i));
    ASSERT_TRUE(replace(nth(i), "{}"));
    ASSERT_TRUE(replace(RowKey("other", nth(i)), "{}"));
  }
  for (const std::int64_t most : {1, 2, 3, 6, 7, 8}) {
    std::vector<std::string> seen;
    std::int64_t cursor = 0;
    bool is_more = true;
    while (is_more) {
      const auto page = list("p", cursor, most);
      ASSERT_TRUE(page);
      EXPECT_EQ(page->count, 7U);
      for (const std::string& scope : scopes_in(*page)) seen.push_back(scope);
      // A full page has a cursor, also if there is nothing after it.
      is_more = page->rows.size() == static_cast<std::size_t>(most);
      ASSERT_EQ(page->next_cursor.has_value(), is_more) << most;
      if (!is_more) break;
      EXPECT_EQ(page->next_cursor, page->rows.back().id);
      cursor = *page->next_cursor;
    }
    EXPECT_EQ(seen, all) << most;
  }
}

TEST_P(ContextStoreConformance, ACursorMayPointAnywhere) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(replace(nth(i), "{}"));
  const auto all = list("p", 0, 10);
  ASSERT_TRUE(all && all->rows.size() == 3);
  const std::int64_t middle = all->rows[1].id;
  ASSERT_TRUE(replace(nth(1), std::nullopt));
  EXPECT_EQ(scopes_in(*list("p", middle, 10)), std::vector<std::string>{"s2"});
  EXPECT_EQ(scopes_in(*list("p", -5, 10)), (std::vector<std::string>{"s0", "s2"}));
  EXPECT_EQ(scopes_in(*list("p", all->rows[2].id, 10)), std::vector<std::string>());
}

TEST_P(ContextStoreConformance, ANegativeMostIsAllOrInvalid) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(replace(nth(i), "{}"));
  const auto page = list("p", 0, -1);
  if (!traits().takes_negative_most) {
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().kind(), ErrorKind::invalid);
    return;
  }
  ASSERT_TRUE(page);
  EXPECT_EQ(page->rows.size(), 5U);
  EXPECT_EQ(page->next_cursor, std::nullopt);
}

TEST_P(ContextStoreConformance, RowsMayBeLarge) {
  constexpr int kRows = 20;
  const auto large = [](int i) { return text_of_length(400'000 + static_cast<std::size_t>(i)); };
  for (int i = 0; i < kRows; ++i) ASSERT_TRUE(replace(nth(i), large(i)));
  EXPECT_TRUE(values(nth(3)) == large(3));
  const auto page = list("p", 0, kRows);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), static_cast<std::size_t>(kRows));
  for (int i = 0; i < kRows; ++i) {
    const ListedRow& row = page->rows[static_cast<std::size_t>(i)];
    EXPECT_EQ(row.scope, nth(i));
    EXPECT_TRUE(row.values == large(i));
  }
}

TEST_P(ContextStoreConformance, RowsMayGoWhileAPageIsRead) {
  constexpr int kRows = 12;
  for (int i = 0; i < kRows; ++i) ASSERT_TRUE(replace(nth(i), text_of_length(200'000)));
  const std::string project = "p";
  const auto page = run(store().list(caller_, project, 0, 100));
  ASSERT_TRUE(page);
  const auto first = run(page->rows->next());
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->scope, "s0");
  for (int i = 1; i < kRows; i += 2) ASSERT_TRUE(replace(nth(i), std::nullopt));
  std::vector<std::string> seen;
  while (true) {
    const auto row = run(page->rows->next());
    ASSERT_TRUE(row);
    if (!*row) break;
    EXPECT_EQ((*row)->values.size(), 200'000U);
    seen.push_back((*row)->scope);
  }
  // Some may have been read ahead; the last one not.
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end(), [](const auto& a, const auto& b) {
    return std::stoi(a.substr(1)) < std::stoi(b.substr(1));
  }));
  for (int i = 2; i < kRows; i += 2) {
    EXPECT_EQ(std::count(seen.begin(), seen.end(), nth(i)), 1) << i;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), nth(kRows - 1)), 0);
}

TEST_P(ContextStoreConformance, PagesThatNobodyReadsAreInNobodysWay) {
  constexpr int kRows = 6;
  for (int i = 0; i < kRows; ++i) ASSERT_TRUE(replace(nth(i), text_of_length(300'000)));
  const std::string project = "p";
  std::vector<Page> pages;
  for (int i = 0; i < 60; ++i) {
    auto page = run(store().list(caller_, project, 0, 100));
    ASSERT_TRUE(page);
    if (i % 2 == 0) {
      EXPECT_TRUE(run(page->rows->next()));
    }
    pages.push_back(*std::move(page));
  }
  EXPECT_TRUE(replace(nth(0), text_of_length(300'001)));
  EXPECT_TRUE(replace("new", "{}"));
  EXPECT_EQ(values("new"), "{}");
  EXPECT_EQ(scopes().size(), 7U);
  const auto row = run(pages.back().rows->next());
  ASSERT_TRUE(row);
  EXPECT_TRUE(row->has_value());
}

}  // namespace
}  // namespace flowstore::context
