#include "json/text.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "json/number.h"

namespace flowstore::json {
namespace {

std::string canonical_text(std::string_view text) {
  const auto result = canonical_stored(text);
  return result ? result->text : "invalid";
}

std::string written(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

struct Pair {
  const char* text;
  const char* expected;
};

// Expected values are what JSON.stringify(JSON.parse(text)) gives in Node.js 20.
constexpr Pair kNumbers[] = {
    {"0", "0"},
    {"-0", "0"},
    {"-0.0", "0"},
    {"0e5", "0"},
    {"1.0", "1"},
    {"1e2", "100"},
    {"1.50", "1.5"},
    {"-12.25", "-12.25"},
    {"0.000001", "0.000001"},
    {"0.0000001", "1e-7"},
    {"0.00000123", "0.00000123"},
    {"1e21", "1e+21"},
    {"123456789012345680000", "123456789012345680000"},
    {"12345678901234567890", "12345678901234567000"},
    {"9007199254740993", "9007199254740992"},
    {"0.30000000000000004", "0.30000000000000004"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"5e-324", "5e-324"},
    {"1e-400", "0"},
    {"-1e-400", "0"},
    {"1e400", "null"},
    {"-1e400", "null"},
    {"1E+2", "100"},
};

constexpr Pair kStrings[] = {
    {R"("\u0041")", R"("A")"},
    {R"("\/")", R"("/")"},
    {R"("\b\f\n\r\t\"\\")", R"("\b\f\n\r\t\"\\")"},
    {R"("\u0008\u000b\u001F")", R"("\b\u000b\u001f")"},
    {R"("\u0000")", R"("\u0000")"},
    {R"("\ud83d\ude00")", "\"\xF0\x9F\x98\x80\""},
    {R"("\uD800")", R"("\ud800")"},
    {R"("\udc00\ud800")", R"("\udc00\ud800")"},
    {R"("\ud83d\u0041")", R"("\ud83dA")"},
    {R"("\ud83d\ud83d\ude00")", "\"\\ud83d\xF0\x9F\x98\x80\""},
    {"\"\xE2\x80\xA8\x7F\"", "\"\xE2\x80\xA8\x7F\""},
    {"\"\xED\xA0\x80\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"\"\xE2\x82\"", "\"\xEF\xBF\xBD\""},
    {"\"a plain run of more than eight bytes, then \\u00e9\"",
     "\"a plain run of more than eight bytes, then \xC3\xA9\""},
};

constexpr Pair kObjects[] = {
    {R"( { "a" : 1 , "b" : [ 1 , 2 ] } )", R"({"a":1,"b":[1,2]})"},
    {R"({"b":1,"2":1,"1":1})", R"({"1":1,"2":1,"b":1})"},
    {R"({"a":1,"b":2,"a":3})", R"({"a":3,"b":2})"},
    {R"({"a":1,"\u0061":3})", R"({"a":3})"},
    {R"({"01":1,"1":2,"4294967295":3,"4294967294":4})",
     R"({"1":2,"4294967294":4,"01":1,"4294967295":3})"},
    {R"({"b":{"z":1,"0":{"y":2,"9":3,"8":4}},"1":{"x":1,"0":0}})",
     R"({"1":{"0":0,"x":1},"b":{"0":{"8":4,"9":3,"y":2},"z":1}})"},
    {R"({"a":{"2":1,"1":2},"a":{"4":1,"3":2}})", R"({"a":{"3":2,"4":1}})"},
    {R"({"":{"":1}})", R"({"":{"":1}})"},
    {R"([[],{},[{}]])", R"([[],{},[{}]])"},
};

class CanonicalText : public testing::TestWithParam<Pair> {};

TEST_P(CanonicalText, IsWhatJavaScriptWrites) {
  EXPECT_EQ(canonical_text(GetParam().text), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Numbers, CanonicalText, testing::ValuesIn(kNumbers));
INSTANTIATE_TEST_SUITE_P(Strings, CanonicalText, testing::ValuesIn(kStrings));
INSTANTIATE_TEST_SUITE_P(Objects, CanonicalText, testing::ValuesIn(kObjects));

class BrokenText : public testing::TestWithParam<const char*> {};

TEST_P(BrokenText, IsRefused) {
  const auto result = canonical(GetParam());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::invalid);
  EXPECT_EQ(result.error().code(), "FST_ERR_CTP_INVALID_JSON_BODY");
}

INSTANTIATE_TEST_SUITE_P(Texts, BrokenText,
                         testing::Values("", " ", "{", "}", "[", "]", "[1,]", "[,1]", "{\"a\"}",
                                         "{\"a\":}", "{\"a\":1,}", "{a:1}", "{,}", "[1 2]", "1 2",
                                         "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "NaN",
                                         "Infinity", "tru", "nul", "falsey", "\"", "\"\\\"",
                                         "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\t\"", "'a'",
                                         "[1]]", "{\"a\":1}}", "\v1",
                                         "\xC2\xA0"
                                         "1",
                                         "[\"a]"));

TEST(JsonText, HasAByteOrderMarkTakenOff) { EXPECT_EQ(canonical_text("\xEF\xBB\xBF[1]"), "[1]"); }

TEST(JsonText, SaysThatBytesWereNoUtf8) {
  EXPECT_TRUE(canonical("\"\xFF\"")->had_bad_utf8);
  EXPECT_FALSE(canonical("\"\xC3\xA9\"")->had_bad_utf8);
}

TEST(JsonText, RefusesMembersThatReachThePrototypeOfAllObjects) {
  EXPECT_FALSE(canonical(R"({"__proto__":1})"));
  EXPECT_FALSE(canonical(R"([{"a":{"\u005f_proto__":{}}}])"));
  EXPECT_FALSE(canonical(R"({"constructor":{"prototype":1}})"));
  EXPECT_TRUE(canonical(R"({"constructor":{"name":1}})"));
  EXPECT_TRUE(canonical(R"({"constructor":1,"prototype":2,"toString":3})"));
  EXPECT_TRUE(canonical(R"({"constructor":[{"prototype":1}]})"));
  EXPECT_EQ(canonical_text(R"({"__proto__":1})"), R"({"__proto__":1})");
}

TEST(JsonText, MayBeNestedToTheLimitAndNoDeeper) {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_EQ(canonical_text(nested(kMaxDepth)), nested(kMaxDepth));
  const auto deeper = canonical(nested(kMaxDepth + 1));
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().code(), "");
  EXPECT_EQ(deeper.error().message(), "Maximum call stack size exceeded");
  EXPECT_FALSE(canonical(std::string(1'000'000, '[')));
}

TEST(JsonText, WithManyMembersOfEqualNameKeepsTheLast) {
  std::string text = "{";
  for (int i = 0; i < 20'000; ++i) {
    text += "\"k" + std::to_string(i % 10'000) + "\":" + std::to_string(i) + ",";
  }
  text += "\"7\":0}";
  const std::string result = canonical_text(text);
  EXPECT_TRUE(result.starts_with(R"({"7":0,"k0":10000,"k1":10001,)")) << result.substr(0, 60);
  EXPECT_TRUE(result.ends_with(R"("k9999":19999})"));
}

TEST(JsonText, IsReorderedInLinearTimeHoweverDeepItIs) {
  // Each level wants its members in another order; moving the inside once per level would take
  // minutes here.
  std::string text;
  for (int i = 0; i < 3000; ++i) text += R"({"b":0,"1":)";
  text += '"' + std::string(4'000'000, 'x') + '"';
  text += std::string(3000, '}');
  const std::string result = canonical_text(text);
  EXPECT_EQ(result.size(), text.size());
  EXPECT_TRUE(result.starts_with(R"({"1":{"1":{"1":)"));
  EXPECT_TRUE(result.ends_with(R"(,"b":0},"b":0})"));
}

TEST(JsonText, OfTheStoreSaysWhereItIsBroken) {
  const auto result = canonical_stored("{\"a\":tru}");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "The stored values are not JSON: unexpected at position 5");
}

TEST(JsonNumber, HasTheShortestDigits) {
  EXPECT_EQ(written(1e21), "1e+21");
  EXPECT_EQ(written(1.5e-9), "1.5e-9");
  EXPECT_EQ(written(-123.456), "-123.456");
  EXPECT_EQ(written(HUGE_VAL), "Infinity");
  EXPECT_EQ(written(-HUGE_VAL), "-Infinity");
  EXPECT_EQ(written(4294967296.0), "4294967296");
  EXPECT_TRUE(std::isinf(parse_number("1e999")));
  EXPECT_EQ(parse_number("1e-999"), 0);
}

TEST(JsonItems, WalkMembersInOrder) {
  Items items(R"({"a":1,"b c":[1,{"x":"]}"}],"d\"":"\\","e":{}})");
  const Pair expected[] = {
      {"a", "1"}, {"b c", R"([1,{"x":"]}"}])"}, {"d\\\"", R"("\\")"}, {"e", "{}"}};
  for (const Pair& pair : expected) {
    ASSERT_TRUE(items.next());
    EXPECT_EQ(items.name(), pair.text);
    EXPECT_EQ(items.value(), pair.expected);
  }
  EXPECT_FALSE(items.next());
  EXPECT_FALSE(items.next());
}

TEST(JsonItems, WalkNothingInEmptyContainers) {
  EXPECT_FALSE(Items("{}").next());
  EXPECT_FALSE(Items("[]").next());
}

TEST(JsonDepth, CountsLevelsOutsideStrings) {
  EXPECT_EQ(depth_of("1"), 0U);
  EXPECT_EQ(depth_of(R"("[[[")"), 0U);
  EXPECT_EQ(depth_of(R"({"a":[{},"{{"],"b":[]})"), 3U);
}

TEST(JsonStrings, GoToUtf16AndBack) {
  for (const char* literal : {R"(a\n\u0001\"\\)", "\xF0\x9F\x98\x80", R"(\ud800x)", "\xC3\xA9"}) {
    EXPECT_EQ(encode(decode(literal)), literal);
  }
  EXPECT_EQ(decode(R"("ab")"), u"ab");
  EXPECT_EQ(utf16("a\xF0\x9F\x98\x80\xFF"), u"a\xD83D\xDE00\xFFFD");
}

}  // namespace
}  // namespace flowstore::json
