#include "tools/progress.h"

#include <sstream>

#include <gtest/gtest.h>

#include "support/manual_clock.h"

namespace flowstore::tools {
namespace {

using std::chrono::milliseconds;

TEST(Progress, ShowsNothingOfWhatTakesLessThanASecond) {
  ManualClock clock;
  std::ostringstream out;
  {
    Progress progress(&out, clock);
    progress.begin("copying", 10);
    clock.advance(milliseconds(900));
    progress.add_bytes(5);
  }
  EXPECT_EQ(out.str(), "");
}

TEST(Progress, DrawsALineOverItselfAndTakesItAway) {
  ManualClock clock;
  std::ostringstream out;
  {
    Progress progress(&out, clock);
    progress.begin("copying", 2048);
    clock.advance(milliseconds(1000));
    progress.add_items(1);
    progress.add_bytes(1024);  // too soon to be drawn again
    clock.advance(milliseconds(200));
    progress.add_bytes(0);
  }
  EXPECT_EQ(out.str(),
            "\r\x1b[Kcopying  1  0 B of 2.0 KiB  [                              ] 0%"
            "\r\x1b[Kcopying  1  1.0 KiB of 2.0 KiB  [###############               ] 50%"
            "\r\x1b[K");
}

TEST(Progress, TheBarEndsWhereItEnds) {
  ManualClock clock;
  std::ostringstream out;
  Progress progress(&out, clock);
  progress.begin("copying", 10);
  clock.advance(milliseconds(1000));
  progress.add_bytes(30);
  EXPECT_NE(out.str().find("[##############################] 100%"), std::string::npos);
}

TEST(Progress, DrawsNothingWithoutATerminal) {
  ManualClock clock;
  Progress progress(nullptr, clock);
  progress.begin("copying", 10);
  clock.advance(milliseconds(2000));
  progress.add_bytes(3);
}

}  // namespace
}  // namespace flowstore::tools
