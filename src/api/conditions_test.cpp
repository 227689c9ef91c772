#include "api/conditions.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/date.h"
#include "support/asked_request.h"

namespace flowstore::api {
namespace {

using http::Headers;
using Asked = http::AskedRequest;

files::FileStat file_of(std::uint64_t size) {
  files::FileStat stat;
  stat.size = size;
  stat.etag = "\"v1\"";
  stat.modified =
      *http::parse_date("Sun, 06 Nov 1994 08:49:37 GMT") + std::chrono::milliseconds(250);
  return stat;
}

std::string chosen(Headers headers, std::uint64_t size) {
  const Asked asked(std::move(headers));
  const RangeChoice choice = choose_range(*asked, file_of(size));
  return choice.kind == RangeChoice::Kind::whole ? "whole" : content_range(choice, size);
}

TEST(Range, PicksOnePart) {
  EXPECT_EQ(chosen({{"range", "bytes=2-4"}}, 1000), "bytes 2-4/1000");
  EXPECT_EQ(chosen({{"Range", "Bytes=900-"}}, 1000), "bytes 900-999/1000");
  EXPECT_EQ(chosen({{"range", "bytes=-10"}}, 1000), "bytes 990-999/1000");
  EXPECT_EQ(chosen({{"range", "bytes=-5000"}}, 1000), "bytes 0-999/1000");
  EXPECT_EQ(chosen({{"range", "bytes=10-99999999"}}, 1000), "bytes 10-999/1000");
}

TEST(Range, IsUnsatisfiableBehindTheEnd) {
  EXPECT_EQ(chosen({{"range", "bytes=1000-"}}, 1000), "bytes */1000");
  EXPECT_EQ(chosen({{"range", "bytes=-0"}}, 1000), "bytes */1000");
  EXPECT_EQ(chosen({{"range", "bytes=0-"}}, 0), "bytes */0");
  EXPECT_EQ(chosen({{"range", "bytes=-1"}}, 0), "bytes */0");
  EXPECT_EQ(chosen({{"range", "bytes=9-"}}, 9), "bytes */9");
}

TEST(Range, IsIgnoredWhereItIsNotOnePlainRange) {
  for (const char* const value :
       {"bytes=0-1,5-6", "lines=1-2", "bytes=4-2", "bytes=a-b", "bytes=", "bytes=-", "bytes 1-2",
        "bytes=1", "bytes=+1-2", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(chosen({{"range", value}}, 1000), "whole") << value;
  }
}

TEST(Range, IsIgnoredWhereItsHeaderIsLongerThanTheFile) {
  EXPECT_EQ(chosen({{"range", "bytes=2-4"}}, 9), "whole");
  EXPECT_EQ(chosen({{"range", "bytes=2-4"}}, 29), "whole");
  EXPECT_EQ(chosen({{"range", "bytes=2-4"}}, 30), "bytes 2-4/30");
}

TEST(Range, HoldsOnlyForTheFileThatIfRangeNames) {
  EXPECT_EQ(chosen({{"range", "bytes=0-1"}, {"if-range", "\"v1\""}}, 1000), "bytes 0-1/1000");
  EXPECT_EQ(chosen({{"range", "bytes=0-1"}, {"if-range", "\"v0\""}}, 1000), "whole");
  EXPECT_EQ(chosen({{"range", "bytes=0-1"}, {"if-range", "W/\"v1\""}}, 1000), "whole");
  EXPECT_EQ(chosen({{"range", "bytes=0-1"}, {"if-range", "Sun, 06 Nov 1994 08:49:37 GMT"}}, 1000),
            "bytes 0-1/1000");
  EXPECT_EQ(chosen({{"range", "bytes=0-1"}, {"if-range", "Sun, 06 Nov 1994 08:49:36 GMT"}}, 1000),
            "whole");
}

TEST(Range, IsForGetOnly) {
  const Headers headers = {{"range", "bytes=0-1"}};
  const Asked asked(headers, "HEAD");
  EXPECT_EQ(choose_range(*asked, file_of(1000)).kind, RangeChoice::Kind::whole);
}

TEST(Preconditions, ReadListsOverSeveralHeaders) {
  const Headers headers = {{"If-Match", "\"a\", W/\"b,c\" ,"}, {"if-match", "\"d\""}};
  const Asked asked(headers);
  const auto conditions = parse_preconditions(*asked);
  ASSERT_TRUE(conditions.if_match);
  EXPECT_EQ(conditions.if_match->etags, (std::vector<std::string>{"\"a\"", "W/\"b,c\"", "\"d\""}));
  EXPECT_FALSE(conditions.if_match->is_any);
  EXPECT_FALSE(conditions.if_none_match);
}

TEST(Preconditions, ReadTheStarAndDates) {
  const Headers headers = {{"if-none-match", " * "},
                           {"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"},
                           {"if-unmodified-since", "yesterday"}};
  const Asked asked(headers);
  const auto conditions = parse_preconditions(*asked);
  EXPECT_TRUE(conditions.if_none_match->is_any);
  EXPECT_TRUE(conditions.if_modified_since);
  EXPECT_FALSE(conditions.if_unmodified_since);
}

TEST(Preconditions, KeepAListWithoutAnEtagAsOneThatMatchesNothing) {
  const Headers headers = {{"if-match", "v1"}};
  const Asked asked(headers);
  const auto conditions = parse_preconditions(*asked);
  ASSERT_TRUE(conditions.if_match);
  EXPECT_TRUE(conditions.if_match->etags.empty());
}

}  // namespace
}  // namespace flowstore::api
