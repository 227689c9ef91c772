#include "http/date.h"

#include <string>
#include <utility>

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

TEST(Date, IsReadInTheTwoObsoleteForms) {
  EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT"), kExample);
  EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994"), kExample);
  EXPECT_EQ(parse_date("Wed Nov 16 08:49:37 1994"), parse_date("Wed, 16 Nov 1994 08:49:37 GMT"));
}

TEST(Date, OfTwoDigitsIsAtMostFiftyYearsAhead) {
  const auto now = *parse_date("Sat, 28 Nov 2026 12:00:00 GMT");
  for (const auto& [text, time] : {
           std::pair("Saturday, 28-Nov-26 12:00:01 GMT", "Sat, 28 Nov 2026 12:00:01 GMT"),
           std::pair("Saturday, 01-Jan-00 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT"),
           std::pair("Tuesday, 29-Feb-00 00:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT"),
           std::pair("Friday, 27-Nov-76 00:00:00 GMT", "Fri, 27 Nov 2076 00:00:00 GMT"),
           std::pair("Thursday, 30-Dec-76 00:00:00 GMT", "Thu, 30 Dec 1976 00:00:00 GMT"),
           std::pair("Friday, 31-Dec-99 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:59 GMT"),
       }) {
    EXPECT_EQ(parse_date(text, now), parse_date(time)) << text;
  }
  const auto late = *parse_date("Thu, 28 Nov 2080 12:00:00 GMT");
  EXPECT_EQ(parse_date("Tuesday, 29-Nov-05 00:00:00 GMT", late),
            parse_date("Sun, 29 Nov 2105 00:00:00 GMT"));
}

TEST(Date, IsNotReadInAnyOtherForm) {
  for (const char* const text : {"",
                                 "Sunday, 6-Nov-94 08:49:37 GMT",
                                 "Sun, 06-Nov-94 08:49:37 GMT",
                                 "Someday, 06-Nov-94 08:49:37 GMT",
                                 "Sunday, 06-Nov-9x 08:49:37 GMT",
                                 "Sunday, 31-Feb-94 08:49:37 GMT",
                                 "Sunday, 06-Nov-94 08:49:37 UTC",
                                 "Sunday 06-Nov-94 08:49:37 GMT",
                                 "Sunday,",
                                 ",",
                                 "Sun Nov 6 08:49:37 1994",
                                 "Sun Nov  x 08:49:37 1994",
                                 "Sun Nov  0 08:49:37 1994",
                                 "Sun Nov  6 08:49:37 19x4",
                                 "Sun Nov  6 08-49-37 1994",
                                 "Sun Nov  6 08:49:37 1994 GMT",
                                 "Sun, 6 Nov 1994 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 08:49:37 UTC",
                                 "Sun, 06 nov 1994 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 24:00:00 GMT",
                                 "Sun, 06 Nov 1994 08:60:37 GMT",
                                 "Sun, 06 Nov 1994 08:49:61 GMT",
                                 "Sun, 31 Feb 1994 08:49:37 GMT",
                                 "Sun, 00 Nov 1994 08:49:37 GMT",
                                 "Sun, -6 Nov 1994 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 08:49:37 GMT ",
                                 "Sun; 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace flowstore::http
