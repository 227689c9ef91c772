#include "files/s3/byte_budget.h"

#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "support/run.h"

namespace flowstore::files::s3 {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;

TEST(S3ByteBudget, GivesWhatThereIs) {
  ByteBudget budget(2 * kMiB);
  ByteBudget::Share share(budget);
  EXPECT_TRUE(run(share.grow_to(1)));
  EXPECT_TRUE(run(share.grow_to(2 * kMiB)));
  EXPECT_TRUE(run(share.grow_to(kMiB)));  // has more already
}

TEST(S3ByteBudget, RefusesWhatNobodyGivesBack) {
  ByteBudget budget(kMiB);
  ByteBudget::Share share(budget);
  const Status refused = run(share.grow_to(2 * kMiB));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(refused.error().code(), "storage_busy");
}

TEST(S3ByteBudget, WaitsForWhatOthersGiveBack) {
  ByteBudget budget(kMiB);
  auto first = std::make_unique<ByteBudget::Share>(budget);
  ASSERT_TRUE(run(first->grow_to(kMiB)));
  std::thread other([&] {
    ByteBudget::Share second(budget);
    EXPECT_TRUE(run(second.grow_to(kMiB)));
  });
  first.reset();
  other.join();
}

}  // namespace
}  // namespace flowstore::files::s3
