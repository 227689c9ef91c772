#include "server/privileges.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace flowstore::server {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kUser = 65534;
constexpr gid_t kGroup = 65533;

config::Account somebody() {
  config::Account account;
  account.user = "somebody";
  account.uid = kUser;
  account.group = kGroup;
  account.home = "/somewhere";
  return account;
}

// What a process of its own says, because there is no way back: 0, or which of its expectations
// failed.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool can_switch() { return ::geteuid() == 0; }

#define SKIP_UNLESS_ROOT() \
  if (!can_switch()) GTEST_SKIP() << "becoming somebody else needs root"

TEST(Privileges, AreThoseOfTheUserAndNoOther) {
  SKIP_UNLESS_ROOT();
  EXPECT_EQ(in_child([] {
              if (!become(somebody())) return 1;
              if (::getuid() != kUser || ::geteuid() != kUser) return 2;
              if (::getgid() != kGroup || ::getegid() != kGroup) return 3;
              gid_t groups[8];
              if (::getgroups(8, groups) != 1 || groups[0] != kGroup) return 4;
              return std::string(::getenv("HOME")) == "/somewhere" ? 0 : 5;
            }),
            0);
}

TEST(Privileges, DoNotComeBack) {
  SKIP_UNLESS_ROOT();
  EXPECT_EQ(in_child([] {
              if (!become(somebody())) return 1;
              if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setresuid(0, 0, 0) == 0) return 2;
              if (::setgid(0) == 0 || ::setgroups(0, nullptr) == 0) return 3;
              // CAP_CHOWN is 0, CAP_SETUID is 7.
              if (::prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 1) return 4;
              return ::prctl(PR_CAPBSET_READ, 7, 0, 0, 0) == 1 ? 5 : 0;
            }),
            0);
}

TEST(Privileges, AreGivenUpEvenIfTheKernelWasToldToKeepThem) {
  SKIP_UNLESS_ROOT();
  EXPECT_EQ(in_child([] {
              ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
              if (!become(somebody())) return 1;
              return ::setuid(0) == 0 ? 2 : 0;
            }),
            0);
}

TEST(Privileges, OfAnotherUserAreRefusedToWhoIsNotRoot) {
  SKIP_UNLESS_ROOT();
  EXPECT_EQ(in_child([] {
              if (!become(somebody())) return 1;
              if (!become(somebody())) return 2;  // is already
              config::Account other = somebody();
              other.uid = 1234;
              const Status status = become(other);
              if (status) return 3;
              return status.error().message().find("not started as root") == std::string::npos ? 4
                                                                                               : 0;
            }),
            0);
}

TEST(Privileges, NobodyNeedsAreGivenUpByRootToo) {
  const config::Config config;
  EXPECT_EQ(in_child([&] {
              ::unsetenv("FLOWSTORE_CORE");
              ::umask(0);
              const uid_t before = ::geteuid();
              if (!give_up_privileges(config)) return 1;
              if (::geteuid() != before) return 2;
              if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 3;
              if (::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 4;
              rlimit core{1, 1};
              if (::getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0) return 5;
              return ::umask(0) == S_IWOTH ? 0 : 6;
            }),
            0);
}

TEST(Privileges, KeepTheMaskOfTheSurroundings) {
  const config::Config config;
  EXPECT_EQ(in_child([&] {
              ::umask(0027);
              if (!give_up_privileges(config)) return 1;
              return ::umask(0) == 0027 ? 0 : 2;
            }),
            0);
}

TEST(Privileges, LeaveCoreFilesToWhoAsksForThem) {
  const config::Config config;
  EXPECT_EQ(in_child([&] {
              ::setenv("FLOWSTORE_CORE", "1", 1);
              if (!give_up_privileges(config)) return 1;
              return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 ? 0 : 2;
            }),
            0);
}

// A folder that only root may write in.
class Folders : public ::testing::Test {
 protected:
  Folders() {
    std::string name = (fs::temp_directory_path() / "flowstore-owned-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    config_.account = somebody();
    config_.driver.root = folder_ / "files/root";
    config_.context.is_on = true;
    config_.context.storage = folder_ / "var/context.db";
  }
  ~Folders() override { fs::remove_all(folder_); }

  uid_t owner_of(const fs::path& path) const {
    struct stat status {};
    return ::stat((folder_ / path).c_str(), &status) == 0 ? status.st_uid : ~uid_t{0};
  }

  int give_up() const {
    return in_child([this] { return give_up_privileges(config_) ? 0 : 1; });
  }

  fs::path folder_;
  config::Config config_;
};

TEST_F(Folders, ThatAreNewBelongToTheUser) {
  SKIP_UNLESS_ROOT();
  EXPECT_EQ(give_up(), 0);
  for (const char* const made : {"files", "files/root", "var"}) EXPECT_EQ(owner_of(made), kUser);
}

TEST_F(Folders, ThatAreThereStayAsTheyAre) {
  SKIP_UNLESS_ROOT();
  fs::create_directory(folder_ / "files");
  EXPECT_EQ(give_up(), 0);
  EXPECT_EQ(owner_of("files"), 0u);
  EXPECT_EQ(owner_of("files/root"), kUser);
}

TEST_F(Folders, AreNotMadeByWhoStaysWhoItIs) {
  config_.account = config::Account();
  EXPECT_EQ(give_up(), 0);
  EXPECT_FALSE(fs::exists(folder_ / "files"));
}

TEST_F(Folders, AreNotGivenAwayBehindALink) {
  SKIP_UNLESS_ROOT();
  fs::create_directory(folder_ / "of-root");
  fs::create_symlink(folder_ / "missing", folder_ / "files");
  EXPECT_EQ(give_up(), 1);
  EXPECT_FALSE(fs::exists(folder_ / "missing"));
}

}  // namespace
}  // namespace flowstore::server
