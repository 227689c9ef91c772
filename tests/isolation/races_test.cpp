// Folders and files that become links to another project, and folders again, as fast as the kernel
// can do it, while requests run through them.

#include <atomic>
#include <cerrno>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "isolation/house.h"

namespace flowstore::isolation {
namespace {

using files::localfs::Durability;
using files::localfs::Resolution;

// In the attacker's folder `dir` and `dir-link` change places, so do `file` and `file-link`, and
// the whole folder with a link under another team. Requests may remove any of them; what is gone is
// planted again.
class Swapper {
 public:
  explicit Swapper(const LocalGround& ground)
      : beta_(ground.at("files/team/beta")),
        teams_(open_at(AT_FDCWD, ground.at("files"))),
        folder_((::mkdirat(teams_.get(), "spare", 0777),
                 ::mkdirat(teams_.get(), "team/alpha", 0777),
                 open_at(teams_.get(), "team/alpha"))) {
    plant();
    EXPECT_EQ(::symlinkat(beta_.c_str(), teams_.get(), "spare/alpha"), 0);
    thread_ = std::thread([this] { run(); });
  }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;
  ~Swapper() {
    is_done_ = true;
    thread_.join();
  }

 private:
  static FileDescriptor open_at(int at, const std::string& name) {
    return FileDescriptor(
        ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }

  void put(int at, const char* name) const {
    const FileDescriptor file(
        ::openat(at, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
    if (!file) return;  // a link at the moment
    EXPECT_EQ(::write(file.get(), "mine", 4), 4);
  }

  // Never follows a link itself: whichever name is the folder at the moment, it is the one filled.
  void plant() const {
    ::mkdirat(folder_.get(), "dir", 0777);
    ::symlinkat(beta_.c_str(), folder_.get(), "dir-link");
    for (const char* name : {"dir", "dir-link"}) {
      const FileDescriptor dir = open_at(folder_.get(), name);
      if (dir) put(dir.get(), "known.txt");
    }
    put(folder_.get(), "file");
    ::symlinkat((beta_ + "/known.txt").c_str(), folder_.get(), "file-link");
  }

  void run() const {
    for (unsigned round = 0; !is_done_; ++round) {
      const bool has_all =
          ::renameat2(folder_.get(), "dir", folder_.get(), "dir-link", RENAME_EXCHANGE) == 0 &&
          ::renameat2(folder_.get(), "file", folder_.get(), "file-link", RENAME_EXCHANGE) == 0;
      if (!has_all || round % 64 == 0) plant();
      if (round % 8 == 0) swap_projects();
    }
  }

  void swap_projects() const {
    for (int times = 0; times < 2; ++times) {
      ::renameat2(teams_.get(), "team/alpha", teams_.get(), "spare/alpha", RENAME_EXCHANGE);
    }
  }

  std::string beta_;
  FileDescriptor teams_;
  FileDescriptor folder_;
  std::atomic<bool> is_done_ = false;
  std::thread thread_;
};

struct Way {
  std::string name;
  Resolution resolution;
  Durability durability;
};

class Races : public testing::TestWithParam<Way> {
 protected:
  struct Step {
    std::string_view method;
    std::string_view path;
    std::string_view mode = "";
  };

  void ask(House& house, const Step& step) {
    Attempt attempt;
    attempt.method = step.method;
    attempt.target = "/v1/files/team/alpha/" + std::string(step.path);
    attempt.headers.emplace_back("Authorization", "Bearer " + token_of(kAttacker));
    attempt.headers.emplace_back("FF_MODE", step.mode);
    if (step.method == "POST") attempt.body = "attack";
    const Answer answer = house.ask(attempt);
    ++(answer.is_good() ? good_ : refused_);
    const auto leak = house.leak(attempt, answer);
    EXPECT_FALSE(leak) << *leak << "\n" << attempt.words();
  }

  std::size_t good_ = 0;
  std::size_t refused_ = 0;
};

TEST_P(Races, ALinkThatComesDuringARequestLeadsNowhere) {
  const std::vector<Step> steps = {
      {"GET", "dir/known.txt"},
      {"GET", "file"},
      {"HEAD", "dir/known.txt"},
      {"GET", "dir?list"},
      {"GET", "?list&recursive"},
      {"GET", "dir-link?list&recursive"},
      {"GET", "known.txt"},
      {"POST", "dir/known.txt"},
      {"POST", "dir/known.txt", "append"},
      {"POST", "dir/dir/known.txt"},
      {"POST", "dir/new/deep.txt", "append"},
      {"POST", "file"},
      {"POST", "file", "append"},
      {"POST", "known.txt"},
      {"DELETE", "dir/known.txt"},
      {"DELETE", "file"},
      {"DELETE", "known.txt"},
      {"DELETE", "dir?recursive"},
      {"DELETE", "?recursive"},
  };
  const auto files = local_files(GetParam().resolution, GetParam().durability);
  const auto context = memory_context();
  House house(*files, *context, Reach::any_team);
  const Belongings before = house.others();
  std::mt19937_64 random(chosen_seed());
  {
    const Swapper swapper(*files);
    for (std::size_t left = chosen_tries() / 20; left > 0 && !HasFailure(); --left) {
      ask(house, steps[random() % steps.size()]);
    }
  }
  EXPECT_EQ(differences(before, house.others()), "") << "seed " << chosen_seed();
  std::cout << good_ << " answered, " << refused_ << " refused\n";
  EXPECT_GT(good_, 0U);
  EXPECT_GT(refused_, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, Races,
    testing::Values(Way{"Automatic", Resolution::automatic, Durability::relaxed},
                    Way{"AutomaticStrict", Resolution::automatic, Durability::strict},
                    Way{"Componentwise", Resolution::componentwise, Durability::relaxed}),
    [](const auto& way) { return way.param.name; });

}  // namespace
}  // namespace flowstore::isolation
