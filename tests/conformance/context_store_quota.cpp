// The limit: counted in characters over all rows of a project, exact, and in the way of growth
// only.

#include <string>

#include "conformance/context_store_conformance.h"

namespace flowstore::context {
namespace {

void expect_over_quota(const Status& outcome, std::uint64_t limit) {
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), ErrorKind::over_quota);
  EXPECT_EQ(outcome.error().limit(), limit);
}

TEST_P(ContextStoreConformance, AProjectMayBeAsLargeAsTheLimit) {
  EXPECT_TRUE(replace("s", text_of_length(100), 100));
  expect_over_quota(replace("s", text_of_length(101), 100), 100);
  EXPECT_EQ(values("s"), text_of_length(100));
  expect_over_quota(replace("t", "{}", 101), 101);
  EXPECT_EQ(values("t"), std::nullopt);
  EXPECT_TRUE(replace("t", "{}", 102));
}

TEST_P(ContextStoreConformance, AnUpdateKeepsTheLimitToo) {
  const auto become = [](std::size_t length) {
    return [length](auto) { return NewValues(text_of_length(length)); };
  };
  EXPECT_TRUE(update("s", become(100), 100));
  expect_over_quota(update("s", become(101), 100), 100);
  EXPECT_EQ(values("s"), text_of_length(100));
  expect_over_quota(update("t", become(8), 107), 107);
  EXPECT_EQ(values("t"), std::nullopt);
  EXPECT_TRUE(update("t", become(8), 108));
}

TEST_P(ContextStoreConformance, TheLimitCountsCharacters) {
  // Nine characters each, whatever they are made of: 9, 12 and 9 bytes; an escape is the six
  // characters that it is written with.
  EXPECT_TRUE(replace(RowKey("a", "s"), R"({"k":"x"})", 9));
  EXPECT_TRUE(replace(RowKey("b", "s"), R"({"k":"😀"})", 9));
  expect_over_quota(replace(RowKey("b", "s"), R"({"k":"😀é"})", 9), 9);
  EXPECT_TRUE(replace(RowKey("b", "s"), R"({"k":"é"})", 9));
  EXPECT_TRUE(replace(RowKey("b", "t"), R"({"é":"😀"})", 18));
  EXPECT_TRUE(replace(RowKey("c", "s"), R"({"k":"\u0000"})", 14));
  expect_over_quota(replace(RowKey("d", "s"), R"({"k":"\u0000"})", 13), 13);
  // The names count, and the text around the values.
  expect_over_quota(replace(RowKey("d", "s"), R"({"name":1})", 9), 9);
}

TEST_P(ContextStoreConformance, TheLimitCountsAllRowsOfOneProject) {
  ASSERT_TRUE(replace("a", text_of_length(40), 100));
  ASSERT_TRUE(replace("b", text_of_length(40)));  // rows written without a limit count as well
  ASSERT_TRUE(replace(RowKey("other", "a"), text_of_length(1000)));
  expect_over_quota(replace("c", text_of_length(21), 100), 100);
  EXPECT_TRUE(replace("c", text_of_length(20), 100));
  EXPECT_EQ(characters_of(), 100U);
  EXPECT_TRUE(replace(RowKey("other", "a"), text_of_length(1001), 1001));
}

TEST_P(ContextStoreConformance, WhatDoesNotGrowIsNeverRefused) {
  ASSERT_TRUE(replace("a", text_of_length(100)));
  ASSERT_TRUE(replace("b", text_of_length(100)));
  EXPECT_TRUE(replace("a", text_of_length(90), 50));
  EXPECT_TRUE(replace("a", text_of_length(90), 50));
  EXPECT_TRUE(update(
      "a", [](auto) { return NewValues(text_of_length(80)); }, 50));
  expect_over_quota(replace("a", text_of_length(81), 50), 50);
  EXPECT_TRUE(replace("a", std::nullopt, 50));
  EXPECT_EQ(characters_of(), 100U);
}

TEST_P(ContextStoreConformance, RemovedRowsMakeRoom) {
  for (const char* scope : {"a", "b", "c"}) ASSERT_TRUE(replace(scope, text_of_length(30), 90));
  expect_over_quota(replace("d", text_of_length(8), 90), 90);
  ASSERT_TRUE(replace("a", std::nullopt, 90));
  EXPECT_TRUE(replace("d", text_of_length(30), 90));
  ASSERT_TRUE(clean("p", [](std::string_view scope) { return scope == "b"; }));
  expect_over_quota(replace("e", text_of_length(61), 90), 90);
  EXPECT_TRUE(replace("e", text_of_length(60), 90));
  EXPECT_EQ(characters_of(), 90U);
}

TEST_P(ContextStoreConformance, TheLimitMayBeAnotherEachTime) {
  ASSERT_TRUE(replace("a", text_of_length(50), 50));
  expect_over_quota(replace("b", text_of_length(10), 59), 59);
  EXPECT_TRUE(replace("b", text_of_length(10), 60));
  EXPECT_TRUE(replace("a", text_of_length(60)));
  expect_over_quota(replace("b", text_of_length(11), 60), 60);
  EXPECT_TRUE(replace("b", text_of_length(11), 71));
  expect_over_quota(replace("c", "{}", 0), 0);
}

TEST_P(ContextStoreConformance, RowsFromBeforeCount) {
  if (!traits().survives_reopen) return;
  ASSERT_TRUE(replace("a", text_of_length(50), 50));
  reopen();
  expect_over_quota(replace("b", text_of_length(10), 59), 59);
  EXPECT_TRUE(replace("b", text_of_length(10), 60));
}

}  // namespace
}  // namespace flowstore::context
