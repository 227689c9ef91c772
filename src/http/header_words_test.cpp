#include "http/header_words.h"

#include <array>

#include <gtest/gtest.h>

namespace flowstore::http {
namespace {

TEST(HeaderWords, ComparesNamesWithoutCase) {
  EXPECT_TRUE(equals_ignoring_case("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(equals_ignoring_case("Content-Length", "Content-Lengt"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));  // 0x20 apart, and no letters
}

TEST(HeaderWords, FindsTheFirstHeaderOfAName) {
  const std::array<Header, 3> headers = {{{"A", "1"}, {"b", "2"}, {"B", "3"}}};
  EXPECT_EQ(find_header(headers, "B"), "2");
  EXPECT_EQ(find_header(headers, "c"), std::nullopt);
}

TEST(HeaderWords, FindsTheWord100Continue) {
  EXPECT_TRUE(is_continue("100-continue"));
  EXPECT_TRUE(is_continue("100-Continue"));
  EXPECT_TRUE(is_continue("foo, 100-continue;a"));
  EXPECT_FALSE(is_continue(""));
  EXPECT_FALSE(is_continue("200-ok"));
  EXPECT_FALSE(is_continue("1100-continue"));
  EXPECT_FALSE(is_continue("100-continued"));
  EXPECT_FALSE(is_continue("100-continu"));
}

TEST(HeaderWords, KnowsWhatNamesAndValuesConsistOf) {
  for (const char c : {'a', 'Z', '0', '-', '_', '!', '~', '|'}) EXPECT_TRUE(is_token(c)) << c;
  for (const char c : {' ', '\t', ':', '(', '"', '@', '\0', '\x7f', '\xc3'}) {
    EXPECT_FALSE(is_token(c)) << c;
  }
  for (const char c : {'a', ' ', '\t', ':', '\xc3', '\xff'}) EXPECT_TRUE(is_field_text(c)) << c;
  for (const char c : {'\0', '\r', '\n', '\x1f', '\x7f'}) EXPECT_FALSE(is_field_text(c)) << c;
}

}  // namespace
}  // namespace flowstore::http
