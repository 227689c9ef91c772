#include "tools/progress.h"

#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/manual_clock.h"

namespace flowstore::tools {
namespace {

using std::chrono::milliseconds;

class ProgressTest : public testing::Test {
 protected:
  // Begins to copy so many bytes, and lets that take a while.
  void begin(std::uint64_t bytes, milliseconds passed) {
    progress_->begin("copying", bytes);
    clock_.advance(passed);
  }
  // All that was drawn, to its end.
  std::string drawn() {
    progress_.reset();
    return out_.str();
  }

  ManualClock clock_;
  std::ostringstream out_;
  std::optional<Progress> progress_{std::in_place, &out_, clock_};
};

TEST_F(ProgressTest, ShowsNothingOfWhatTakesLessThanASecond) {
  begin(10, milliseconds(900));
  progress_->add_bytes(5);
  EXPECT_EQ(drawn(), "");
}

TEST_F(ProgressTest, DrawsALineOverItselfAndTakesItAway) {
  begin(2048, milliseconds(1000));
  progress_->add_items(1);
  progress_->add_bytes(1024);  // too soon to be drawn again
  clock_.advance(milliseconds(200));
  progress_->add_bytes(0);
  EXPECT_EQ(drawn(),
            "\r\x1b[Kcopying  1  0 B of 2.0 KiB  [                              ] 0%"
            "\r\x1b[Kcopying  1  1.0 KiB of 2.0 KiB  [###############               ] 50%"
            "\r\x1b[K");
}

TEST_F(ProgressTest, TheBarEndsWhereItEnds) {
  begin(10, milliseconds(1000));
  progress_->add_bytes(30);
  EXPECT_NE(drawn().find("[##############################] 100%"), std::string::npos);
}

TEST_F(ProgressTest, DrawsNothingWithoutATerminal) {
  progress_.emplace(nullptr, clock_);
  begin(10, milliseconds(2000));
  progress_->add_bytes(3);
  EXPECT_EQ(drawn(), "");
}

}  // namespace
}  // namespace flowstore::tools
