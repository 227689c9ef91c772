#include "base/outage_log.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "support/manual_clock.h"

namespace flowstore {
namespace {

// The lines that `act` makes appear, with a log that writes before it dies.
template <class Act>
std::ptrdiff_t lines_of(Act act) {
  testing::internal::CaptureStdout();
  {
    ManualClock clock;
    Log log(LogLevel::info, LogFormat::json, clock);
    OutageLog outage(clock, log, "It is out.", "It is back.");
    act(outage, clock);
  }
  const std::string text = testing::internal::GetCapturedStdout();
  return std::count(text.begin(), text.end(), '\n');
}

TEST(OutageLog, WritesOneLineHoweverManyQuestionsFail) {
  const auto act = [](OutageLog& outage, ManualClock&) {
    for (int i = 0; i < 100; ++i) outage.failed("connection refused");
  };
  EXPECT_EQ(lines_of(act), 1);
}

TEST(OutageLog, SaysThatItIsBackOnce) {
  const auto act = [](OutageLog& outage, ManualClock&) {
    outage.failed("status 500");
    for (int i = 0; i < 100; ++i) outage.answered();
  };
  EXPECT_EQ(lines_of(act), 2);
}

TEST(OutageLog, RemindsEveryMinute) {
  const auto act = [](OutageLog& outage, ManualClock& clock) {
    for (int second = 0; second < 120; ++second) {
      outage.failed("status 500");
      clock.advance(std::chrono::seconds(1));
    }
  };
  EXPECT_EQ(lines_of(act), 2);
}

TEST(OutageLog, IsQuietWhileAllIsWell) {
  EXPECT_EQ(lines_of([](OutageLog& outage, ManualClock&) { outage.answered(); }), 0);
}

TEST(OutageLog, KnowsHowTheLatestQuestionWent) {
  ManualClock clock;
  Log log(LogLevel::silent, LogFormat::json, clock);
  OutageLog outage(clock, log, "It is out.", "It is back.");
  EXPECT_FALSE(outage.latest());
  outage.failed("status 500");
  EXPECT_FALSE(outage.latest()->is_answer);
  EXPECT_EQ(outage.reason(), "status 500");
  clock.advance(std::chrono::seconds(1));
  outage.answered();
  EXPECT_EQ(outage.reason(), "");
  // Less than a minute after the last line: no line, but known all the same.
  outage.failed("status 502");
  EXPECT_FALSE(outage.latest()->is_answer);
  EXPECT_EQ(outage.reason(), "status 502");
  EXPECT_EQ(outage.latest()->at, clock.now());
}

}  // namespace
}  // namespace flowstore
