#include "server/check_places.h"

#include <gtest/gtest.h>
#include <linux/magic.h>

namespace flowstore::server {
namespace {

using std::chrono::seconds;

TEST(CheckPlaces, SaysWhereDataWouldBeLost) {
  EXPECT_NE(loss_of(OVERLAYFS_SUPER_MAGIC).find("layer of the container"), std::string::npos);
  EXPECT_NE(loss_of(TMPFS_MAGIC).find("in memory"), std::string::npos);
  EXPECT_EQ(loss_of(EXT4_SUPER_MAGIC), "");
  EXPECT_EQ(loss_of(NFS_SUPER_MAGIC), "");
}

TEST(CheckPlaces, LooksAtTheFolderOfFilesAndOfSqlite) {
  config::Config config;
  config.driver.root = "/dev/shm";
  config.context.is_on = true;
  config.context.storage = "/dev/shm/context.db";
  const auto found = check_places(config);
  ASSERT_EQ(found.size(), 2U);
  for (const CheckResult& one : found) EXPECT_TRUE(one.is_ok && one.is_warning);
  EXPECT_TRUE(found[0].detail.starts_with("driver.options.root /dev/shm is in memory"));
  EXPECT_TRUE(found[1].detail.starts_with("context.options.storage /dev/shm is in memory"));
  config.driver.type = config::DriverType::s3;
  config.context.database = config::DatabaseType::postgres;
  EXPECT_TRUE(check_places(config).empty());
}

TEST(CheckPlaces, AClockThatIsWrongIsAWarning) {
  const auto now = std::chrono::system_clock::now();
  EXPECT_FALSE(check_clock(std::nullopt, now));
  EXPECT_FALSE(check_clock(now - seconds(29), now));
  EXPECT_FALSE(check_clock(now + seconds(29), now));
  ASSERT_TRUE(check_clock(now - seconds(90), now));
  EXPECT_TRUE(check_clock(now - seconds(90), now)->is_ok);
  EXPECT_TRUE(
      check_clock(now - seconds(90), now)->detail.starts_with("this machine is 90 s ahead of"));
  EXPECT_TRUE(
      check_clock(now + seconds(90), now)->detail.starts_with("this machine is 90 s behind"));
}

TEST(CheckPlaces, AuthoritiesThatCannotBeUsedAreAWarning) {
  EXPECT_FALSE(check_authorities(http::Trust(nullptr)));
  const auto found = check_authorities(http::Trust("/nowhere/authorities.pem"));
  ASSERT_TRUE(found && found->is_ok && found->is_warning);
  EXPECT_TRUE(found->detail.starts_with(
      "NODE_EXTRA_CA_CERTS is ignored: /nowhere/authorities.pem cannot be read."));
}

}  // namespace
}  // namespace flowstore::server
