// Torn by hand, as a kill tears: what AppendRecords wrote down, and a part of the append.

#include "files/localfs/append_recovery.h"

#include <csignal>
#include <filesystem>
#include <optional>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/localfs/append_records.h"
#include "files/localfs/file_size_limit.h"
#include "files/localfs/localfs_store.h"
#include "files/localfs/test_root.h"
#include "support/manual_clock.h"

namespace flowstore::files::localfs {
namespace {

constexpr const char* kTmp = ".flowstore/tmp";
constexpr std::size_t kLarge = 600'000;

// Text in which every part tells where it belongs.
std::string numbered(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

class AppendRecovery : public testing::TestWithParam<std::size_t> {
 protected:
  // Records the append, and writes so many bytes of it, as a process does that is killed then.
  void tear(const std::string& path, std::size_t there) {
    const std::string at = root_.at(path);
    struct stat status {};
    ASSERT_EQ(::stat(at.c_str(), &status), 0);
    auto record = records_.begin(path, status, addition());
    ASSERT_TRUE(record.value) << record.error;
    open_records_.push_back(*std::move(record.value));
    std::ofstream(at, std::ios::binary | std::ios::app) << body_.substr(0, there);
  }

  // The body waits in memory if it is small.
  const Addition& addition() {
    if (!addition_ && body_.size() < kLarge) addition_.emplace(body_);
    if (!addition_) {
      int error = 0;
      TempFile file = temp_.create(error);
      EXPECT_EQ(write_all(file.file(), body_), 0);
      addition_.emplace(std::move(file), body_.size());
    }
    return *addition_;
  }

  void start(Company company = Company::none) {
    complete_torn_appends(beneath_, folder_of_dead().get(), company, log_);
  }

  // There is one process that has made itself a folder.
  FileDescriptor folder_of_dead() const {
    const auto folder = std::filesystem::directory_iterator(root_.at(kTmp))->path();
    return FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  TestRoot root_;
  Beneath beneath_{root_.open()};
  ManualClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  TempFolder temp_ = *TempFolder::make(root_.open().get(), root_.path());
  AppendRecords records_{temp_};
  std::vector<AppendRecords::Record> open_records_;
  std::string body_ = numbered(GetParam());
  std::optional<Addition> addition_;
};

INSTANTIATE_TEST_SUITE_P(Sizes, AppendRecovery, testing::Values(20'000, kLarge),
                         [](const auto& size) { return size.param < kLarge ? "Small" : "Large"; });

TEST_P(AppendRecovery, CompletesWhatAKillTore) {
  for (const std::size_t there : {std::size_t{1}, std::size_t{4092}, body_.size() - 1}) {
    root_.put("t/p/log", "head");
    tear("t/p/log", there);
    start();
    EXPECT_EQ(root_.get("t/p/log"), "head" + body_);
    start();
    EXPECT_EQ(root_.get("t/p/log"), "head" + body_);
    open_records_.clear();
  }
}

TEST_P(AppendRecovery, LeavesWhatIsWholeOrWasNotBegun) {
  root_.put("t/p/whole", "head");
  tear("t/p/whole", body_.size());
  root_.put("t/p/not_begun", "head");
  tear("t/p/not_begun", 0);
  start();
  EXPECT_EQ(root_.get("t/p/whole"), "head" + body_);
  EXPECT_EQ(root_.get("t/p/not_begun"), "head");
}

TEST_P(AppendRecovery, LeavesWhatSomebodyElseAppendedTo) {
  root_.put("t/p/log", "head");
  tear("t/p/log", 4092);
  std::ofstream(root_.at("t/p/log"), std::ios::app) << "of another";
  start();
  EXPECT_EQ(root_.get("t/p/log"), "head" + body_.substr(0, 4092) + "of another");
}

TEST_P(AppendRecovery, LeavesWhatWasReplacedSince) {
  root_.put("t/p/log", "head");
  tear("t/p/log", 4092);
  const std::string torn = root_.get("t/p/log");
  root_.put("t/p/new", torn);
  std::filesystem::rename(root_.at("t/p/new"), root_.at("t/p/log"));
  start();
  EXPECT_EQ(root_.get("t/p/log"), torn) << "another file, though it looks the same";
  root_.put("t/p/written_over", "head");
  tear("t/p/written_over", 4092);
  root_.put("t/p/written_over", std::string(5000, 'n'));
  start();
  EXPECT_EQ(root_.get("t/p/written_over"), std::string(5000, 'n'));
}

TEST_P(AppendRecovery, LeavesWhatWasChangedMuchLater) {
  root_.put("t/p/log", "head");
  tear("t/p/log", 4092);
  const std::string torn = root_.get("t/p/log");
  timespec times[2] = {};
  ::clock_gettime(CLOCK_REALTIME, &times[1]);
  times[1].tv_sec += 70;
  times[0] = times[1];
  ASSERT_EQ(::utimensat(AT_FDCWD, root_.at("t/p/log").c_str(), times, 0), 0);
  start();
  EXPECT_EQ(root_.get("t/p/log"), torn);
}

TEST_P(AppendRecovery, FollowsNoLinkAndChangesNoOtherName) {
  for (const char* name : {"t/p/linked", "t/p/dir/below", "t/p/gone/below", "t/p/named"}) {
    root_.put(name, "head");
    tear(name, 4092);
  }
  const std::string torn = root_.get("t/p/named");
  std::filesystem::rename(root_.at("t/p/linked"), root_.at("t/target"));
  std::filesystem::create_symlink("../target", root_.at("t/p/linked"));
  std::filesystem::rename(root_.at("t/p/dir"), root_.at("t/dir"));
  std::filesystem::create_directory_symlink("../dir", root_.at("t/p/dir"));
  std::filesystem::remove_all(root_.at("t/p/gone"));
  std::filesystem::create_hard_link(root_.at("t/p/named"), root_.at("t/backup"));
  start();
  for (const char* name : {"t/target", "t/dir/below", "t/p/named", "t/backup"}) {
    EXPECT_EQ(root_.get(name), torn) << name;
  }
  EXPECT_FALSE(root_.has("t/p/gone"));
}

TEST_P(AppendRecovery, BelievesNoRecordOfAnotherRunOfTheMachine) {
  root_.put("t/p/log", "head");
  tear("t/p/log", 4092);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_.at(kTmp))) {
    if (!is_record_name(entry.path().filename().string())) continue;
    std::fstream record(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    record.seekp(8) << std::string(36, '?');
  }
  start();
  EXPECT_EQ(root_.get("t/p/log"), "head" + body_.substr(0, 4092));
}

TEST_P(AppendRecovery, AnAppendThatHasEndedIsForgotten) {
  root_.put("t/p/log", "head");
  tear("t/p/log", 4092);
  open_records_.clear();
  start();
  EXPECT_EQ(root_.get("t/p/log"), "head" + body_.substr(0, 4092));
}

TEST_P(AppendRecovery, WritesNothingDownForWhatStaysWithinAPage) {
  root_.put("t/p/log", std::string(4000, 'h'));
  struct stat status {};
  ASSERT_EQ(::stat(root_.at("t/p/log").c_str(), &status), 0);
  const auto within =
      records_.begin("t/p/log", status, Addition(std::string_view(body_).substr(0, 96)));
  EXPECT_TRUE(root_.files_below(kTmp).empty());
  const auto beyond =
      records_.begin("t/p/log", status, Addition(std::string_view(body_).substr(0, 97)));
  EXPECT_EQ(root_.files_below(kTmp).size(), 1U);
}

TEST_P(AppendRecovery, OnAFullDiskTakesBackWhatItCannotComplete) {
  for (const Company company : {Company::some, Company::none}) {
    root_.put("t/p/log", "head");
    tear("t/p/log", 4092);
    {
      const FileSizeLimit limit(10'000);
      start(company);
    }
    const std::string left = root_.get("t/p/log");
    if (company == Company::none) {
      EXPECT_EQ(left, "head");
    } else {
      EXPECT_EQ(left, "head" + body_.substr(0, left.size() - 4)) << "somebody may append behind it";
      EXPECT_GE(left.size(), 4096U);
    }
    open_records_.clear();
  }
}

// The whole of it: a process that dies, and one that starts.
TEST_P(AppendRecovery, TheNextStartCompletesTheAppendsOfAKilledProcess) {
  root_.put("t/p/log", "head");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    TempFolder temp = *TempFolder::make(root_.open().get(), root_.path());
    AppendRecords records(temp);
    struct stat status {};
    ::stat(root_.at("t/p/log").c_str(), &status);
    const auto record = records.begin("t/p/log", status, Addition(std::string_view(body_)));
    std::ofstream(root_.at("t/p/log"), std::ios::app) << body_.substr(0, 4092) << std::flush;
    if (!record.value || ::write(ends[1], "", 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char is_ready = 1;
  ASSERT_EQ(::read(ends[0], &is_ready, 1), 1);
  Options options;
  options.root = root_.path();
  options.durability = Durability::relaxed;
  BlockingPool io(1);
  metrics::Registry registry;
  EXPECT_TRUE(Store::make(options, io, clock_, log_, registry));
  EXPECT_EQ(root_.get("t/p/log"), "head" + body_.substr(0, 4092)) << "that process lives";
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(Store::make(options, io, clock_, log_, registry));
  EXPECT_EQ(root_.get("t/p/log"), "head" + body_);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace flowstore::files::localfs
