#include "http/date.h"

#include <string>

#include <gtest/gtest.h>

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr system_clock::time_point kExample{seconds(784'111'777)};
constexpr std::string_view kExampleText = "Sun, 06 Nov 1994 08:49:37 GMT";

TEST(Date, IsWrittenAsInTheStandard) {
  EXPECT_EQ(format_date(kExample), kExampleText);
  EXPECT_EQ(format_date(system_clock::time_point()), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(kExample + milliseconds(999)), kExampleText);
  EXPECT_EQ(format_date(system_clock::time_point(seconds(-1))), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(Date, IsReadAsItIsWritten) {
  EXPECT_EQ(parse_date(kExampleText), kExample);
  // Every hour and some for forty years, with all days, months and leap years.
  for (seconds at{0}; at < std::chrono::years(40); at += seconds(40'000)) {
    const system_clock::time_point time(at);
    ASSERT_EQ(parse_date(format_date(time)), time) << format_date(time);
  }
}

TEST(Date, TakesALeapSecondAsTheNextMinute) {
  EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT"),
            parse_date("Sun, 01 Jan 2017 00:00:00 GMT"));
}

TEST(Date, BeyondTheClockIsAsFarAsTheClockReaches) {
  const auto never = parse_date("Fri, 31 Dec 9999 23:59:59 GMT");
  ASSERT_TRUE(never);
  EXPECT_EQ(format_date(*never), "Fri, 11 Apr 2262 23:47:16 GMT");
  const auto old = parse_date("Mon, 01 Jan 0000 00:00:00 GMT");
  ASSERT_TRUE(old);
  EXPECT_EQ(format_date(*old), "Tue, 21 Sep 1677 00:12:44 GMT");
}

TEST(Date, IsNotReadInAnyOtherForm) {
  for (const char* const text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                                 "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
                                 "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
                                 "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
                                 "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                                 "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
                                 "Sun; 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace flowstore::http
