#include "json/document.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "json/text.h"

namespace flowstore::json {
namespace {

// The vectors recorded from @node-red/util 3.1.7, canonical.
const std::string& vectors() {
  static const std::string text = [] {
    std::ifstream file(FLOWSTORE_SOURCE_DIR "/tests/contract/property-vectors.json");
    std::stringstream content;
    content << file.rdbuf();
    return canonical_stored(content.str())->text;
  }();
  return text;
}

std::string_view member(std::string_view object, std::string_view name) {
  Items items(object);
  while (items.next()) {
    if (items.name() == name) return items.value();
  }
  return {};
}

// A JSON string literal from a message, which may hold half of a surrogate pair.
std::string message_of(std::string_view literal) {
  std::string text;
  for (const char16_t unit : decode(literal)) {
    if (unit < 0x80) text.push_back(static_cast<char>(unit));
  }
  return text;
}

std::string ascii_of(const Error& error) {
  std::string text;
  for (const char c : error.message()) {
    if (static_cast<unsigned char>(c) < 0x80) text.push_back(c);
  }
  return text;
}

// The parts of a path as the vectors write them.
std::string parts_json(const std::vector<PathPart>& parts) {
  std::string out = "[";
  for (const PathPart& part : parts) {
    if (out.size() > 1) out.push_back(',');
    const bool is_string = part.kind == PathPart::Kind::name;
    out += is_string ? '"' + part.name + '"' : part.name;
  }
  return out + "]";
}

// Without data a cross reference becomes the list of its own parts.
std::optional<PathPart> nested_parts(std::u16string_view inner) {
  const auto parts = parse_path(inner, nested_parts);
  if (!parts) return std::nullopt;
  return PathPart(PathPart::Kind::other, parts_json(*parts));
}

TEST(PropertyPath, IsReadAsNodeRedReadsIt) {
  Items cases(member(vectors(), "normalise"));
  int count = 0;
  while (cases.next()) {
    ++count;
    const std::string_view one = cases.value();
    const auto parts = parse_path(decode(member(one, "expr")), nested_parts);
    const std::string_view error = member(one, "error");
    if (error.empty()) {
      ASSERT_TRUE(parts) << one << ": " << parts.error().message();
      EXPECT_EQ(parts_json(*parts), member(one, "parts")) << one;
    } else {
      ASSERT_FALSE(parts) << one;
      EXPECT_EQ(ascii_of(parts.error()), message_of(error)) << one;
      EXPECT_EQ(parts.error().code(), "INVALID_EXPR") << one;
    }
  }
  EXPECT_EQ(count, 86);
}

TEST(Document, IsReadAsNodeRedReadsIt) {
  Items cases(member(vectors(), "get"));
  int count = 0;
  while (cases.next()) {
    ++count;
    const std::string_view one = cases.value();
    std::string_view data = member(one, "data");
    if (data == R"("D1")") data = member(vectors(), "D1");
    Document document{std::string(data)};
    const auto value = document.get(decode(member(one, "expr")));
    const bool is_invalid = member(one, "code") == R"("INVALID_EXPR")";
    EXPECT_EQ(!value, is_invalid) << one;
    if (!value) continue;
    const std::string_view result = member(one, "result");
    const bool is_nothing = result.empty() || result == R"("<function>")";
    EXPECT_EQ(value->value_or("nothing"), is_nothing ? "nothing" : result) << one;
  }
  EXPECT_EQ(count, 31);
}

TEST(Document, IsChangedAsNodeRedChangesIt) {
  Items cases(member(vectors(), "set"));
  int count = 0;
  while (cases.next()) {
    ++count;
    const std::string_view one = cases.value();
    Document document{std::string(member(one, "data"))};
    const auto key = decode(member(one, "key"));
    const bool is_removal = member(one, "delete") == "true";
    const Status status =
        is_removal ? document.remove(key) : document.set(key, member(one, "value"));
    EXPECT_EQ(!status, !member(one, "error").empty()) << one;
    if (!status) {
      EXPECT_EQ(ascii_of(status.error()), message_of(member(one, "error"))) << one;
    }
    std::string_view after = member(one, "after");
    if (after.starts_with('"')) continue;  // recorded in part; see the test of long arrays
    EXPECT_EQ(document.text(), after) << one;
  }
  EXPECT_EQ(count, 47);
}

TEST(Document, FillsAnArrayUpToAnIndex) {
  Document document("{}");
  ASSERT_TRUE(document.set(u"a[99]", "1"));
  std::string expected = "{\"a\":[";
  for (int i = 0; i < 99; ++i) expected += "null,";
  EXPECT_EQ(document.text(), expected + "1]}");
}

struct Step {
  const char16_t* expression;
  const char* value;  // null removes
};

std::string after(const char* object, std::initializer_list<Step> steps) {
  Document document{std::string(object)};
  std::string errors;
  for (const Step& step : steps) {
    const Status status = step.value == nullptr ? document.remove(step.expression)
                                                : document.set(step.expression, step.value);
    if (!status) errors += status.error().message() + ";";
  }
  return errors + document.text();
}

TEST(Document, PutsIndexNamesFirst) {
  EXPECT_EQ(after(R"({"b":1})", {{u"10", "2"}, {u"9", "3"}, {u"a", "4"}, {u"\"01\"", "5"}}),
            R"({"9":3,"10":2,"b":1,"a":4,"01":5})");
}

TEST(Document, KeepsThePlaceOfAMemberThatIsSetAgain) {
  EXPECT_EQ(after(R"({"a":1,"b":2})", {{u"a", "3"}}), R"({"a":3,"b":2})");
  EXPECT_EQ(after(R"({"a":1,"b":2})", {{u"a", nullptr}, {u"a", "3"}}), R"({"b":2,"a":3})");
}

TEST(Document, KnowsHolesFromNull) {
  // A hole is undefined, so that something can be made there; null is a value.
  EXPECT_EQ(after("{}", {{u"a[2].b", "1"}, {u"a[1].b", "2"}}), R"({"a":[null,{"b":2},{"b":1}]})");
  EXPECT_EQ(after(R"({"a":[null]})", {{u"a[0].b.c", "1"}}),
            R"(Cannot convert undefined or null to object;{"a":[null]})");
  EXPECT_EQ(after(R"({"a":[1,2,3]})", {{u"a[\"1\"]", nullptr}}), R"({"a":[1,null,3]})");
  EXPECT_EQ(after(R"({"a":[1,2,3]})", {{u"a[\"2\"]", nullptr}, {u"a[2].x", "1"}}),
            R"({"a":[1,2,{"x":1}]})");
}

TEST(Document, LosesWhatJsonDoesNotShow) {
  EXPECT_EQ(after(R"({"a":[1]})", {{u"a.x", "1"}, {u"a.y.z", "1"}}), R"({"a":[1]})");
  EXPECT_EQ(after("{}", {{u"__proto__", "{\"x\":1}"}, {u"a.__proto__.b", "1"}}), R"({"a":{}})");
}

TEST(Document, ChangesTheLengthOfAnArray) {
  EXPECT_EQ(after(R"({"a":[1,2,3]})", {{u"a.length", "1"}}), R"({"a":[1]})");
  EXPECT_EQ(after(R"({"a":[1]})", {{u"a.length", "3"}}), R"({"a":[1,null,null]})");
  EXPECT_EQ(after(R"({"a":[1]})", {{u"a.length", "-1"}}), R"(Invalid array length;{"a":[1]})");
  EXPECT_EQ(after(R"({"a":[1]})", {{u"a.length", "{}"}}), R"(Invalid array length;{"a":[1]})");
  EXPECT_EQ(after(R"({"a":[1]})", {{u"a.length", "\"0\""}}), R"({"a":[]})");
}

TEST(Document, FollowsCrossReferencesToWhatWasJustSet) {
  EXPECT_EQ(after("{}", {{u"k", "\"name\""}, {u"o[msg.k]", "1"}}),
            R"({"k":"name","o":{"name":1}})");
  EXPECT_EQ(after(R"({"i":1,"a":[1,2]})", {{u"a[msg.i]", "9"}}), R"({"i":1,"a":[1,9]})");
  EXPECT_EQ(after(R"({"x":{"y":1}})", {{u"o[msg.x]", "1"}}), R"({"x":{"y":1},"o":[]})");
  EXPECT_EQ(after(R"({"x":{"y":1},"o":{}})", {{u"o[msg.x]", "1"}}),
            R"({"x":{"y":1},"o":{"[object Object]":1}})");
  EXPECT_EQ(after(R"({"x":[1,[2,null]],"o":{}})", {{u"o[msg.x]", "1"}}),
            R"({"x":[1,[2,null]],"o":{"1,2,":1}})");
}

TEST(Document, BoundsCrossReferencesWithinEachOther) {
  std::u16string expression = u"a";
  for (int i = 0; i < 10'000; ++i) expression = u"a[msg." + expression + u"]";
  Document document(R"({"a":0})");
  const auto value = document.get(expression);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code(), "INVALID_EXPR");
}

TEST(Document, RefusesAnIndexBeforeItBuildsTheArray) {
  Document document("{}");
  EXPECT_EQ(document.set(u"a[2000000000]", "1").error().kind(), ErrorKind::invalid);
  const Status over = document.set(u"a[500]", "1", 500);
  EXPECT_EQ(over.error().kind(), ErrorKind::over_quota);
  EXPECT_EQ(over.error().limit(), 500U);
  EXPECT_TRUE(document.set(u"a[499]", "1", 500));
}

TEST(Document, BoundsTheWorkOfOneRequest) {
  Document document("{}");
  Status status;
  for (int i = 0; i < 1000 && status; ++i) {
    const std::string name = "k" + std::to_string(i) + "[999999]";
    status = document.set(std::u16string(name.begin(), name.end()), "1");
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), "ERR_TOO_MUCH_WORK");
}

TEST(Document, BoundsTheWorkOfMovingTheItemsOfArrays) {
  std::string items = "[0";
  for (int i = 1; i < 500'000; ++i) items += ",0";
  Document document("{\"a\":" + items + "]}");
  int removed = 0;
  while (document.remove(u"a[0]")) ++removed;
  EXPECT_LT(removed, 40);
  Document small(R"({"a":[1,2,3]})");
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(small.remove(u"a[5]"));
}

TEST(Document, IsNotReadOutAgainAndAgain) {
  Document document("{\"a\":{\"b\":\"" + std::string(1U << 20U, 'x') + "\"}}");
  std::size_t given = 0;
  auto value = document.get(u"a");
  for (; value; value = document.get(given % 2 == 0 ? u"a.b" : u"a")) given += (*value)->size();
  EXPECT_EQ(value.error().code(), "ERR_TOO_MUCH_WORK");
  EXPECT_GE(given, kMostRepeated);
  EXPECT_LE(given, kMostRepeated + (2U << 20U));
}

TEST(Document, RefusesAPathOfMillionsOfPartsBeforeItHasThemAll) {
  std::u16string expression = u"a";
  for (int i = 0; i < 20'000; ++i) expression += u".a";
  Document document("{}");
  EXPECT_EQ(document.get(expression).error().message(), "Maximum call stack size exceeded");
  // What comes behind is not even looked at.
  EXPECT_EQ(document.remove(expression + u" ").error().message(),
            "Maximum call stack size exceeded");
  expression.resize(2 * 9'000 + 1);
  EXPECT_TRUE(document.get(expression));
}

TEST(Document, IsNotNestedDeeperThanTheLimit) {
  std::u16string expression = u"a";
  for (std::size_t i = 1; i < kMaxDepth; ++i) expression += u".a";
  Document document("{}");
  EXPECT_TRUE(document.set(expression, "1"));
  EXPECT_EQ(document.set(expression, "[]").error().message(), "Maximum call stack size exceeded");
  EXPECT_EQ(depth_of(document.text()), kMaxDepth);
}

TEST(Document, ShowsWhatStringsHave) {
  Document document("{\"s\":\"a\xF0\x9F\x98\x80\"}");
  EXPECT_EQ(**document.get(u"s.length"), "3");
  EXPECT_EQ(**document.get(u"s[0]"), "\"a\"");
  EXPECT_EQ(**document.get(u"s[1]"), R"("\ud83d")");
  EXPECT_FALSE(*document.get(u"s[3]"));
}

TEST(Document, NamesAnIndexThatIsTooLargeForANumberAsJavaScriptDoes) {
  const std::u16string index(310, u'9');
  Document document(R"({"b":{},"c":[]})");
  EXPECT_TRUE(document.set(u"b." + index + u".x", "1"));
  EXPECT_TRUE(document.set(u"c[" + index + u"]", "1"));  // a named property: JSON does not show it
  EXPECT_EQ(document.text(), R"({"b":{"Infinity":{"x":1}},"c":[]})");
  EXPECT_EQ(*document.get(u"b." + index + u".x"), "1");
}

TEST(Document, ListsItsNames) {
  Document document(R"({"1":0,"a b":1,"\"":2})");
  EXPECT_EQ(document.keys(), R"(["1","a b","\""])");
  EXPECT_FALSE(document.is_empty());
  EXPECT_EQ(Document("{}").keys(), "[]");
  EXPECT_TRUE(Document("{}").is_empty());
}

TEST(Document, WithManyMembersFindsAndRemovesThem) {
  Document document("{}");
  for (int i = 0; i < 5000; ++i) {
    const std::string name = "k" + std::to_string(i);
    ASSERT_TRUE(document.set(std::u16string(name.begin(), name.end()), "1"));
  }
  for (int i = 0; i < 5000; ++i) {
    if (i == 2500) continue;
    const std::string name = "k" + std::to_string(i);
    ASSERT_TRUE(document.remove(std::u16string(name.begin(), name.end())));
  }
  EXPECT_EQ(document.text(), R"({"k2500":1})");
}

}  // namespace
}  // namespace flowstore::json
