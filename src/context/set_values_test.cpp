#include "context/set_values.h"

#include <gtest/gtest.h>

namespace flowstore::context {
namespace {

std::vector<SetItem> one(std::u16string expression, std::optional<std::string> value) {
  std::vector<SetItem> items;
  items.emplace_back(std::move(expression), std::move(value));
  return items;
}

std::string text_of(const Result<NewValues>& result) {
  if (!result) return "error " + result.error().code() + ": " + result.error().message();
  return *result ? **result : "nothing";
}

TEST(SetValues, MakesARowOfNothing) {
  EXPECT_EQ(text_of(set_values({}, one(u"a.b", "1"), {})), R"({"a":{"b":1}})");
}

TEST(SetValues, AppliesItemsInOrder) {
  std::vector<SetItem> items = one(u"a", "1");
  items.emplace_back(u"b", "[1,2,3]");
  items.emplace_back(u"b[0]", std::nullopt);
  items.emplace_back(u"a", std::nullopt);
  items.emplace_back(u"a", "null");
  EXPECT_EQ(text_of(set_values(R"({"a":0,"c":1})", items, {})), R"({"c":1,"b":[2,3],"a":null})");
}

TEST(SetValues, RemovesARowThatIsEmptyAfterwards) {
  EXPECT_EQ(text_of(set_values(R"({"a":1})", one(u"a", std::nullopt), {})), "nothing");
  EXPECT_EQ(text_of(set_values({}, one(u"a.b", std::nullopt), {})), "nothing");
  EXPECT_EQ(text_of(set_values("{}", one(u"x", std::nullopt), {})), "nothing");
}

TEST(SetValues, ReadsWhatAnotherProgramWroteAsJavaScriptDoes) {
  EXPECT_EQ(
      text_of(set_values(" {\"b\" : 1.0, \"2\":\"\\u0041\", \"b\":1e2} ", one(u"c", "3"), {})),
      R"({"2":"A","b":100,"c":3})");
  EXPECT_EQ(text_of(set_values(R"({"__proto__":1})", one(u"c", "3"), {})),
            R"({"__proto__":1,"c":3})");
}

TEST(SetValues, RefusesARowThatHoldsNoObject) {
  for (const char* const stored : {"", "nonsense", "[1]", "null", "\"x\"", "5", "{\"a\":"}) {
    const auto result = set_values(stored, one(u"a", "1"), {});
    ASSERT_FALSE(result) << stored;
    EXPECT_EQ(result.error().kind(), ErrorKind::invalid);
    EXPECT_EQ(result.error().code(), "ERR_CONTEXT_VALUES");
  }
}

TEST(SetValues, FailsAsAWhole) {
  std::vector<SetItem> items = one(u"ok", "1");
  items.emplace_back(u".bad", "2");
  const auto result = set_values({}, items, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), "INVALID_EXPR");
}

TEST(SetValues, SaysWhatJavaScriptSaysAboutAMissingKey) {
  std::vector<SetItem> items(1);
  items[0].value = "1";
  EXPECT_EQ(text_of(set_values({}, items, {})),
            "error : Cannot read properties of undefined (reading 'indexOf')");
}

TEST(SetValues, RefusesAnArrayThatTheLimitCouldNotHold) {
  const auto result = set_values({}, one(u"a[5000]", "1"), 1000);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::over_quota);
  EXPECT_EQ(result.error().limit(), 1000u);
  EXPECT_FALSE(set_values({}, one(u"a[1000000]", "1"), {}));
}

}  // namespace
}  // namespace flowstore::context
