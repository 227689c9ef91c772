#include "api/url.h"

#include <gtest/gtest.h>

namespace flowstore::api {
namespace {

TEST(Url, SplitsPathAndQueryAtTheFirstMark) {
  EXPECT_EQ(split_target("/a/b").path, "/a/b");
  EXPECT_EQ(split_target("/a/b").tail, "");
  EXPECT_EQ(split_target("/a/b?c=d#e?f").path, "/a/b");
  EXPECT_EQ(split_target("/a/b?c=d#e?f").query, "c=d#e?f");
  EXPECT_EQ(split_target("/a/b?c=d#e?f").tail, "c=d#e?f");
  EXPECT_EQ(split_target("/a#b?c").path, "/a");
  EXPECT_EQ(split_target("/a#b?c").query, "");
  EXPECT_EQ(split_target("/a#b?c").tail, "b?c");
}

TEST(Url, DecodesOnce) {
  EXPECT_EQ(percent_decode("a%20b+c"), "a b+c");
  EXPECT_EQ(percent_decode("%2525"), "%25");
  EXPECT_EQ(percent_decode("h%C3%A9%E2%82%AC%F0%9F%98%80"), "hé€😀");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
}

TEST(Url, RefusesWhatDecodeUriComponentRefuses) {
  for (const char* const text :
       {"%", "a%", "%4", "%zz", "%C3", "%C0%AF", "%ED%A0%80", "%F5%80%80%80", "%E0%80%80",
        "%F0%80%80%80", "%FF", "%80", "%F4%90%80%80"}) {
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  }
}

TEST(Url, CountsAsJavaScriptDoes) {
  EXPECT_EQ(utf16_length("abc"), 3u);
  EXPECT_EQ(utf16_length("hé€"), 3u);
  EXPECT_EQ(utf16_length("😀"), 2u);
}

TEST(Query, FindsBareNamesAndFirstValues) {
  const Query query("list&limit=5&limit=6&x=a%20b+c&=e&&");
  EXPECT_EQ(query.find("list"), "");
  EXPECT_EQ(query.find("limit"), "5");
  EXPECT_EQ(query.find("x"), "a b c");
  EXPECT_FALSE(query.find("y"));
}

TEST(Query, TakesASwitchForOnUnlessItIsTurnedOff) {
  for (const char* const on : {"s", "s=", "s=true", "s=1", "s=yes", "s=off", "s=00", "s&s=false"}) {
    EXPECT_TRUE(Query(on).is_on("s")) << on;
  }
  for (const char* const off : {"", "x", "S", "s=false", "s=False", "s=0", "s=no", "s=NO&s"}) {
    EXPECT_FALSE(Query(off).is_on("s")) << off;
  }
}

TEST(Query, GivesEveryValueOfANameInOrder) {
  const Query query("key=b&other=x&key=&key&key=b&k%65y=a=b");
  EXPECT_EQ(query.all("key"), (std::vector<std::string_view>{"b", "", "", "b", "a=b"}));
  EXPECT_TRUE(query.all("none").empty());
}

TEST(Query, LeavesAWordAsItIsThatCannotBeDecoded) {
  const Query query("a=%20%&b=1+%zz&c=%ff&d=%00");
  EXPECT_EQ(query.find("a"), "%20%");
  EXPECT_EQ(query.find("b"), "1 %zz");
  EXPECT_EQ(query.find("c"), "%ff");
  EXPECT_EQ(query.find("d"), std::string_view("\0", 1));
}

}  // namespace
}  // namespace flowstore::api
