#include "files/s3/history.h"

#include <set>

#include <gtest/gtest.h>

namespace flowstore::files::s3 {
namespace {

TEST(S3History, NamesWritesNewestFirst) {
  const History history = History().with("a").with("b");
  EXPECT_EQ(history.header(), "b,a");
  EXPECT_EQ(History(history.header()).header(), "b,a");
  EXPECT_TRUE(history.contains("a"));
  EXPECT_FALSE(history.contains("c"));
}

TEST(S3History, KnowsThatAWriteIsMissing) {
  const History before = History().with("a");
  EXPECT_TRUE(before.with("b").reaches_back_to(before));
  EXPECT_TRUE(History().with("b").reaches_back_to(before));  // replaced: nothing of before is left
  EXPECT_TRUE(History().reaches_back_to(History()));
}

TEST(S3History, KnowsWhenItCannotTell) {
  const History before = History().with("a");
  History later = before;
  for (int i = 0; i < 31; ++i) later = later.with("x" + std::to_string(i));
  EXPECT_TRUE(later.reaches_back_to(before));
  later = later.with("y");
  EXPECT_FALSE(later.contains("a"));
  EXPECT_FALSE(later.reaches_back_to(before));
  EXPECT_FALSE(History(later.header()).reaches_back_to(before));
  EXPECT_FALSE(later.reaches_back_to(History()));
}

TEST(S3History, AGapHidesWhatWasBefore) {
  const History before = History().with("a");
  EXPECT_FALSE(History().with_gap().with("b").reaches_back_to(before));
  EXPECT_TRUE(before.with_gap().with("b").reaches_back_to(before));
}

TEST(S3History, GivesEveryWriteItsName) {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert(History::new_name());
  EXPECT_EQ(names.size(), 1000U);
}

}  // namespace
}  // namespace flowstore::files::s3
