#include <gtest/gtest.h>
#include <pwd.h>

#include "config/load.h"

namespace flowstore::config {
namespace {

LoadResult load_text(const std::string& text) {
  Sources sources;
  sources.environment = [text](std::string_view name) -> std::optional<std::string> {
    if (name == "FF_FS_TEST_CONFIG") {
      return "base_url: http://forge:3000\ndriver: {type: memory}\n" + text;
    }
    return std::nullopt;
  };
  sources.working_directory = "/home";
  return load(sources);
}

// All problems, one a line.
std::string said(const LoadResult& loaded) {
  std::string all;
  for (const Problem& problem : loaded.problems) all += to_text(problem) + "\n";
  return all;
}

TEST(AccountOptions, LeaveTheProcessAsItIs) {
  const auto loaded = load_text("");
  EXPECT_EQ(said(loaded), "");
  EXPECT_FALSE(loaded.config.account.is_set());
}

TEST(AccountOptions, FindAUserWithItsGroupAndHome) {
  const passwd* const nobody = ::getpwnam("nobody");
  ASSERT_NE(nobody, nullptr);
  for (const std::string& user : {std::string("nobody"), std::to_string(nobody->pw_uid)}) {
    const auto loaded = load_text("user: " + user);
    EXPECT_EQ(said(loaded), "");
    const Account& account = loaded.config.account;
    EXPECT_TRUE(account.is_set());
    EXPECT_EQ(account.name, "nobody");
    EXPECT_EQ(account.uid, nobody->pw_uid);
    EXPECT_EQ(account.gid(), nobody->pw_gid);
    EXPECT_EQ(account.home, nobody->pw_dir);
  }
}

TEST(AccountOptions, TakeAGroupInAnyOrder) {
  for (const char* const text : {"user: nobody\ngroup: root", "group: root\nuser: nobody"}) {
    const auto loaded = load_text(text);
    EXPECT_EQ(said(loaded), "");
    EXPECT_EQ(loaded.config.account.name, "nobody");
    EXPECT_EQ(loaded.config.account.gid(), 0u);
  }
}

TEST(AccountOptions, NameFileLineAndKeyOfAnUnknownOne) {
  EXPECT_EQ(said(load_text("user: no-such-user")),
            "FF_FS_TEST_CONFIG:3: user: \"no-such-user\" is no user of this machine; make it "
            "(useradd --system), or name another\n");
  EXPECT_EQ(said(load_text("user: nobody\ngroup: no-such-group")),
            "FF_FS_TEST_CONFIG:4: group: \"no-such-group\" is no group of this machine; make it "
            "(groupadd --system), or name another\n");
  // What setresuid() takes for "leave it as it is".
  EXPECT_FALSE(load_text("user: 4294967295\ngroup: 1").is_usable());
}

TEST(AccountOptions, WantAGroupForABareNumber) {
  EXPECT_EQ(said(load_text("user: 3999999999")),
            "FF_FS_TEST_CONFIG:3: user: is a number that the list of users does not have; set "
            "group as well\n");
  const auto loaded = load_text("user: 3999999999\ngroup: 3999999998");
  EXPECT_EQ(said(loaded), "");
  EXPECT_EQ(loaded.config.account.uid, 3999999999u);
  EXPECT_EQ(loaded.config.account.gid(), 3999999998u);
  EXPECT_EQ(loaded.config.account.home, "/");
}

TEST(AccountOptions, SayThatAGroupAloneHasNoEffect) {
  const auto loaded = load_text("group: root");
  EXPECT_TRUE(loaded.is_usable());
  EXPECT_EQ(said(loaded), "FF_FS_TEST_CONFIG:3: group: has no effect without user\n");
}

}  // namespace
}  // namespace flowstore::config
