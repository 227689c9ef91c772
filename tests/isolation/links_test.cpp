// What somebody with a shell plants inside a project: nothing of it leads a request out of there.

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "isolation/house.h"

namespace flowstore::isolation {
namespace {

using files::localfs::Durability;
using files::localfs::Resolution;

const std::string kOwn = "/v1/files/team/alpha/";

class Links : public testing::TestWithParam<Resolution> {
 protected:
  std::string own(const std::string& path = "") const {
    return files_->at("files/team/alpha/" + path);
  }
  void put(const std::string& path, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(own(path)).parent_path());
    std::ofstream(own(path), std::ios::binary) << bytes;
  }
  std::string get(const std::string& path) const {
    std::ifstream file(files_->at(path), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void link(const std::string& target, const std::string& path) const {
    std::filesystem::create_directories(std::filesystem::path(own(path)).parent_path());
    ASSERT_TRUE(::symlink(target.c_str(), own(path).c_str()) == 0 || errno == EEXIST) << path;
  }

  Answer ask(std::string_view method, const std::string& path, std::string_view mode = "") {
    Attempt attempt;
    attempt.method = method;
    attempt.target = kOwn + path;
    attempt.headers = {{"Authorization", "Bearer " + token_of(kAttacker)}, {"FF_MODE", ""}};
    attempt.headers.back().second = mode;
    if (method == "POST") attempt.body = "attack";
    const Answer answer = house_->ask(attempt);
    EXPECT_FALSE(house_->fault(attempt, answer)) << *house_->fault(attempt, answer) << "\n"
                                                 << attempt.words();
    return answer;
  }

  // Everything that can be asked of a path. Nothing of it works but what removes a name.
  void expect_nothing_works(const std::string& path) {
    const auto refuses = [&](std::string_view method, const std::string& query,
                             std::string_view mode) {
      const Answer answer = ask(method, path + query, mode);
      EXPECT_FALSE(answer.is_good()) << method << " " << path << query << " " << mode;
    };
    refuses("GET", "", "");
    refuses("HEAD", "", "");
    refuses("GET", "?list", "");
    refuses("GET", "?list&recursive", "");
    refuses("POST", "", "");
    refuses("POST", "", "append");
    refuses("DELETE", "?recursive", "");
  }

  void expect_others_unchanged() { EXPECT_EQ(differences(before_, house_->others()), ""); }

  std::uint64_t used() {
    return std::stoull(house_->ask(kAttacker, "GET", "/v1/quota/team/alpha").body.substr(8));
  }

  std::unique_ptr<LocalGround> files_ = local_files(GetParam(), Durability::relaxed);
  std::unique_ptr<ContextGround> context_ = memory_context();
  std::unique_ptr<House> house_ = std::make_unique<House>(*files_, *context_, Reach::own_team);
  Belongings before_ = house_->others();
};

INSTANTIATE_TEST_SUITE_P(Both, Links,
                         testing::Values(Resolution::automatic, Resolution::componentwise),
                         [](const auto& resolution) {
                           const bool is_automatic = resolution.param == Resolution::automatic;
                           return is_automatic ? "Automatic" : "Componentwise";
                         });

TEST_P(Links, LeadNowhereWhateverIsAsked) {
  const std::vector<std::pair<std::string, std::string>> links = {
      {"to-project", files_->at("files/team/beta")},
      {"to-file", files_->at("files/team/beta/known.txt")},
      {"to-nothing", files_->at("files/team/beta/new.txt")},
      {"to-root", files_->at("files")},
      {"to-beside", "../../../beside.txt"},
      {"to-own-folder", "../../.flowstore"},
      {"to-etc", "/etc"},
      {"relative", "../beta"},
      {"chain", "to-project"},
      {"loop", "loop"},
      {"magic", "/proc/self/root"},
      {"self", "."},
      {"up", ".."},
      {"dir/deep", "../../beta/dir"},
  };
  const std::vector<std::string> tails = {"/known.txt",   "/dir/known.txt",       "/new.txt",
                                          "/a/b/new.txt", "/team/beta/known.txt", "/passwd"};
  for (const auto& [name, target] : links) {
    link(target, name);
    expect_nothing_works(name);
    for (const std::string& tail : tails) {
      expect_nothing_works(name + tail);
      EXPECT_FALSE(ask("DELETE", name + tail).is_good()) << name << tail;
    }
    EXPECT_TRUE(ask("DELETE", name).is_good()) << name;
    EXPECT_FALSE(std::filesystem::is_symlink(own(name)));
  }
  expect_others_unchanged();
}

TEST_P(Links, AreNeitherListedNorCountedAndGoWithTheirFolder) {
  put("own.txt", "12345");
  for (const char* folder : {"", "dir/", "dir/deep/"}) {
    link(files_->at("files/team/beta"), std::string(folder) + "project");
    link(files_->at("files/other/gamma/known.txt"), std::string(folder) + "file");
    link("/etc", std::string(folder) + "etc");
  }
  EXPECT_NE(ask("GET", "?list&recursive").body.find(R"("count":1,"files":[{"name":"own.txt")"),
            std::string::npos);
  EXPECT_EQ(ask("GET", "dir/?list").body.find("project"), std::string::npos);
  EXPECT_EQ(used(), 5U);
  EXPECT_TRUE(ask("DELETE", "dir?recursive").is_good());
  EXPECT_TRUE(ask("DELETE", "?recursive").is_good());
  EXPECT_TRUE(std::filesystem::is_empty(own()));
  expect_others_unchanged();
}

TEST_P(Links, AProjectThatIsOneHasNothing) {
  ASSERT_EQ(::symlink("beta", files_->at("files/team/alpha").c_str()), 0);
  for (const char* path : {"known.txt", "dir", "dir/known.txt", "new.txt"}) {
    expect_nothing_works(path);
    EXPECT_FALSE(ask("DELETE", path).is_good()) << path;
  }
  EXPECT_FALSE(ask("DELETE", "?recursive").is_good());
  EXPECT_FALSE(ask("GET", "?list").is_good());
  EXPECT_EQ(used(), 0U);
  expect_others_unchanged();
}

TEST_P(Links, ATeamThatIsOneHasNothing) {
  House free(*files_, *context_, Reach::any_team);
  ASSERT_EQ(::symlink("other", files_->at("files/linked").c_str()), 0);
  std::filesystem::create_directories(files_->at("files/other/alpha"));
  std::ofstream(files_->at("files/other/alpha/a.txt")) << kMarker;
  for (const char* target : {"/v1/files/linked/alpha/a.txt", "/v1/files/linked/alpha/?list",
                             "/v1/quota/linked?projectId=alpha"}) {
    EXPECT_FALSE(free.ask(kAttacker, "GET", target).is_good()) << target;
  }
  EXPECT_FALSE(free.ask(kAttacker, "POST", "/v1/files/linked/alpha/a.txt", "x").is_good());
  EXPECT_FALSE(free.ask(kAttacker, "DELETE", "/v1/files/linked/alpha/?recursive").is_good());
  EXPECT_EQ(free.ask(kAttacker, "GET", "/v1/quota/linked/alpha").body, R"({"used":0})");
  EXPECT_EQ(get("files/other/alpha/a.txt"), kMarker);
}

// Nothing tells the two names of a file apart: it can be read under both. No change reaches the
// other one.
TEST_P(Links, OfTheHardKindAreReadAndNeverWrittenThrough) {
  put("own.txt", "1");
  const auto plant = [this](const std::string& name) {
    const std::string victim = files_->at("files/team/beta/known.txt");
    ASSERT_EQ(::link(victim.c_str(), own(name).c_str()), 0) << name;
  };
  for (const char* name : {"replaced", "appended", "removed"}) plant(name);
  std::filesystem::create_directories(own("dir"));
  plant("dir/removed");
  EXPECT_TRUE(house_->ask(kAttacker, "GET", kOwn + "replaced").is_good());
  EXPECT_TRUE(ask("POST", "replaced").is_good());
  EXPECT_TRUE(ask("POST", "appended", "append").is_good());
  EXPECT_TRUE(ask("DELETE", "removed").is_good());
  EXPECT_TRUE(ask("DELETE", "dir?recursive").is_good());
  EXPECT_EQ(get("files/team/alpha/replaced"), "attack");
  EXPECT_EQ(get("files/team/alpha/appended"), get("files/team/beta/known.txt") + "attack");
  expect_others_unchanged();
}

TEST_P(Links, WhatIsNoFileIsNeitherReadNorWritten) {
  put("own.txt", "1");
  std::vector<std::string> names = {"fifo", "dir/fifo"};
  std::filesystem::create_directories(own("dir"));
  for (const std::string& name : names) ASSERT_EQ(::mkfifo(own(name).c_str(), 0666), 0);
  // Only root may make devices, and not in every container.
  const std::vector<std::pair<std::string, dev_t>> devices = {
      {"null", makedev(1, 3)}, {"zero", makedev(1, 5)}, {"full", makedev(1, 7)}};
  for (const auto& [name, device] : devices) {
    if (::mknod(own(name).c_str(), S_IFCHR | 0666, device) == 0) names.push_back(name);
  }
  // Somebody who would notice.
  const FileDescriptor reader(::open(own("fifo").c_str(), O_RDONLY | O_NONBLOCK));
  for (const std::string& name : names) {
    expect_nothing_works(name);
    expect_nothing_works(name + "/below");
  }
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 0);
  EXPECT_EQ(used(), 1U);
  for (const std::string& name : names) EXPECT_TRUE(ask("DELETE", name).is_good()) << name;
  expect_others_unchanged();
}

// Runs `act` where only its thread, and those that it starts, see what it mounts; 0 or errno.
int run_unshared(const std::function<void()>& act) {
  int error = 0;
  std::thread unshared([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      error = errno;
      return;
    }
    act();
  });
  unshared.join();
  return error;
}

// A folder that the operator mounts into a project belongs to the project, and what lies beside it
// does not.
TEST_P(Links, AMountEndsWhereItEnds) {
  const int error = run_unshared([this] {
    house_.reset();  // its threads see the file system as it was
    files_ = local_files(GetParam(), Durability::relaxed);
    house_ = std::make_unique<House>(*files_, *context_, Reach::own_team);
    const std::string shared = files_->at("mounted/shared");
    std::filesystem::create_directories(shared);
    std::ofstream(files_->at("mounted/secret.txt")) << kMarker;
    std::ofstream(shared + "/shared.txt") << "shared";
    std::filesystem::create_symlink("../secret.txt", shared + "/link");
    std::filesystem::create_symlink("..", shared + "/up");
    put("mount/hidden.txt", "hidden");
    ASSERT_EQ(::mount(shared.c_str(), own("mount").c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(ask("GET", "mount/shared.txt").body, "shared");
    for (const char* path : {"mount/link", "mount/up", "mount/up/secret.txt", "mount/hidden.txt",
                             "mount/../../secret.txt", "mount/../secret.txt"}) {
      EXPECT_FALSE(ask("GET", path).is_good()) << path;
    }
    for (const char* path : {"mount/link", "mount/up/secret.txt", "mount/up/new.txt"}) {
      EXPECT_FALSE(ask("POST", path).is_good()) << path;
      EXPECT_FALSE(ask("POST", path, "append").is_good()) << path;
    }
    EXPECT_TRUE(ask("DELETE", "?recursive").is_good());
    EXPECT_EQ(get("mounted/secret.txt"), kMarker);
    EXPECT_TRUE(std::filesystem::is_empty(shared));
    EXPECT_EQ(::umount(own("mount").c_str()), 0);
    EXPECT_EQ(get("files/team/alpha/mount/hidden.txt"), "hidden");
  });
  if (error != 0) GTEST_SKIP() << "cannot mount: " << std::strerror(error);
}

}  // namespace
}  // namespace flowstore::isolation
