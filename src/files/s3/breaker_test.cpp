#include "files/s3/breaker.h"

#include <gtest/gtest.h>

#include "support/manual_clock.h"

namespace flowstore::files::s3 {
namespace {

using std::chrono::milliseconds;

class S3Breaker : public testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) breaker_.failed();
  }

  ManualClock clock_;
  Breaker breaker_{clock_};
};

TEST_F(S3Breaker, LetsThroughWhileThereIsHope) {
  fail(9);
  EXPECT_TRUE(breaker_.lets_through());
  breaker_.succeeded();
  fail(9);
  EXPECT_TRUE(breaker_.lets_through());
}

TEST_F(S3Breaker, LetsOneThroughNowAndThen) {
  fail(10);
  EXPECT_FALSE(breaker_.lets_through());
  clock_.advance(milliseconds(100));
  EXPECT_TRUE(breaker_.lets_through());
  EXPECT_FALSE(breaker_.lets_through());
}

TEST_F(S3Breaker, OneSuccessLetsAllThrough) {
  fail(50);
  clock_.advance(milliseconds(1000));
  ASSERT_TRUE(breaker_.lets_through());
  breaker_.succeeded();
  EXPECT_TRUE(breaker_.lets_through());
  EXPECT_TRUE(breaker_.lets_through());
}

TEST_F(S3Breaker, AsksADeadStoreLessAndLessButAtLeastEverySecond) {
  fail(11);
  clock_.advance(milliseconds(150));
  EXPECT_FALSE(breaker_.lets_through());
  fail(100);
  clock_.advance(milliseconds(999));
  EXPECT_FALSE(breaker_.lets_through());
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(breaker_.lets_through());
}

}  // namespace
}  // namespace flowstore::files::s3
