#include "files/localfs/wal.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "files/localfs/file_size_limit.h"
#include "files/localfs/localfs_store.h"
#include "files/localfs/test_root.h"
#include "support/bodies.h"
#include "support/file_log.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace flowstore::files::localfs {
namespace {

constexpr std::size_t kBootOffset = 16;  // in a segment's head
constexpr std::size_t kHeadChecked = 56;

FileKey key_of(const std::string& path) {
  return *FileKey::parse(*ProjectKey::parse("t", "p"), path);
}

// A store with a log that is in use.
class WriteAheadLogTest : public testing::Test {
 protected:
  void SetUp() override { start(); }

  void start() {
    store_.reset();
    Options options;
    options.root = root_.path();
    registry_.emplace();
    auto made = Store::make(options, io_, *time_, log_, *registry_);
    ASSERT_TRUE(made) << made.error().message();
    store_ = *std::move(made);
  }
  void use_log() { wait_for_log(*store_, *registry_); }

  // From the next start on.
  void use_manual_clock() { time_ = &manual_clock_; }

  // While no file can be written. The log tries at once to make itself again, and from then on once
  // a second, or with the next change.
  void break_log() {
    EXPECT_FALSE(write("refused", "x"));
    const auto broken = store_->outage()->latest();
    ASSERT_FALSE(broken->is_answer);
    while (store_->outage()->latest()->at == broken->at) std::this_thread::yield();
  }

  Status write(const std::string& path, std::string bytes, WriteMode mode = WriteMode::replace) {
    const FileKey key = key_of(path);
    StringSource body(std::move(bytes));
    FLOWSTORE_TRY(const auto upload, run(store_->receive(key, body, mode)));
    FLOWSTORE_TRY_STATUS(run(upload->commit(Expected())));
    return {};
  }
  std::string read(const std::string& path) {
    const FileKey key = key_of(path);
    const auto file = run(store_->open(key, Reading::all));
    return file ? bytes_of(file->content) : file.error().code();
  }
  Status remove(const std::string& path) {
    const FileKey key = key_of(path);
    FLOWSTORE_TRY_STATUS(run(store_->remove(key, Expected())));
    return {};
  }
  std::string stored(const std::string& path) const { return root_.get("t/p/" + path); }

  // The root as it would be if the process had been killed just now.
  void kill_into(TestRoot& other) const {
    std::filesystem::copy(root_.path(), other.path(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
  }

  TestRoot root_;
  BlockingPool io_{4};
  SystemClock clock_;
  ManualClock manual_clock_;
  const Clock* time_ = &clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  std::optional<metrics::Registry> registry_;
  std::unique_ptr<Store> store_;
};

// Lets the segments say that another run of the machine has written them, or the log of it.
void forget_boot(const TestRoot& root) {
  for (const char* const name : {"0", "1"}) {
    const std::string path = root.at(std::string(".flowstore/wal/") + name);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    std::string head(kHeadChecked, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    std::memset(head.data() + kBootOffset, '?', 36);
    const std::uint32_t checksum = wal_checksum(head);
    file.seekp(0);
    file.write(head.data(), static_cast<std::streamsize>(head.size()));
    file.write(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
  }
}

// Starts once on what a power cut left.
void start_after_power_cut(const TestRoot& root) {
  forget_boot(root);
  BlockingPool io(1);
  const SystemClock clock;
  Log log(LogLevel::silent, LogFormat::json, clock);
  metrics::Registry registry;
  Options options;
  options.root = root.path();
  const auto made = Store::make(options, io, clock, log, registry);
  ASSERT_TRUE(made) << made.error().message();
}

TEST_F(WriteAheadLogTest, MakesEveryKindOfChange) {
  use_log();
  ASSERT_TRUE(write("a", "first"));
  ASSERT_TRUE(write("a", "as long"));
  ASSERT_TRUE(write("a", "short"));
  ASSERT_TRUE(write("a", " and more", WriteMode::append));
  ASSERT_TRUE(write("new/folder/file", "begun", WriteMode::append));
  ASSERT_TRUE(write("big", std::string(100'000, 'b')));
  ASSERT_TRUE(write("gone", "x"));
  ASSERT_TRUE(remove("gone"));
  EXPECT_GE(frames_of_log(*registry_), 8);
  EXPECT_EQ(stored("a"), "short and more");
  EXPECT_EQ(read("a"), "short and more");
  EXPECT_EQ(stored("new/folder/file"), "begun");
  EXPECT_EQ(stored("big").size(), 100'000U);
  EXPECT_EQ(read("gone"), "ENOENT");
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_F(WriteAheadLogTest, KeepsTheNumberOfAFileThatIsRewrittenInPlace) {
  use_log();
  ASSERT_TRUE(write("a", "same size"));
  const FileKey key = key_of("a");
  const auto before = run(store_->stat(key));
  ASSERT_TRUE(write("a", "same_size"));
  const auto after = run(store_->stat(key));
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->etag, after->etag);
  EXPECT_EQ(before->etag.substr(0, before->etag.rfind('-')),
            after->etag.substr(0, after->etag.rfind('-')));
}

TEST_F(WriteAheadLogTest, ChangesNoOtherNameOfAFile) {
  use_log();
  ASSERT_TRUE(write("a", "secret of another name"));
  std::filesystem::create_hard_link(root_.at("t/p/a"), root_.at("t/p/b"));
  ASSERT_TRUE(write("a", "something else entirely"));
  std::filesystem::create_hard_link(root_.at("t/p/a"), root_.at("t/p/c"));
  ASSERT_TRUE(write("a", "!", WriteMode::append));
  EXPECT_EQ(stored("b"), "secret of another name");
  EXPECT_EQ(stored("c"), "something else entirely");
  EXPECT_EQ(stored("a"), "something else entirely!");
}

TEST_F(WriteAheadLogTest, ReadersSeeOneVersionWhileAFileIsRewritten) {
  use_log();
  ASSERT_TRUE(write("a", std::string(4000, '0')));
  std::atomic<bool> is_done{false};
  std::thread reader([&] {
    while (!is_done) {
      const std::string bytes = read("a");
      ASSERT_EQ(bytes, std::string(bytes.size(), bytes.front()));
      ASSERT_EQ(bytes.size(), 4000U);
    }
  });
  for (int turn = 0; turn < 300; ++turn) {
    ASSERT_TRUE(write("a", std::string(4000, static_cast<char>('0' + turn % 10))));
  }
  is_done = true;
  reader.join();
}

TEST_F(WriteAheadLogTest, RefusesWhatTheTreeDoesNotAllow) {
  use_log();
  ASSERT_TRUE(write("folder/file", "x"));
  EXPECT_FALSE(write("folder", "x"));
  EXPECT_FALSE(write("folder/file/below", "x"));
  std::filesystem::create_symlink("folder/file", root_.at("t/p/link"));
  EXPECT_FALSE(write("link", "x"));
  EXPECT_FALSE(write("link", "x", WriteMode::append));
  EXPECT_EQ(stored("folder/file"), "x");
  ASSERT_TRUE(write("good", "still works"));
}

TEST_F(WriteAheadLogTest, OfADeadMachineIsMadeAgain) {
  use_log();
  ASSERT_TRUE(write("a", "answered"));
  ASSERT_TRUE(write("a", ", and this", WriteMode::append));
  ASSERT_TRUE(write("removed", "x"));
  ASSERT_TRUE(remove("removed"));
  ASSERT_TRUE(write("large", std::string(200'000, 'l')));  // not by way of the log
  TestRoot after;
  kill_into(after);
  forget_boot(after);
  std::filesystem::resize_file(after.at("t/p/a"), 0);
  after.put("t/p/removed", "x");
  after.put("t/p/large", "changed later");

  Options options;
  options.root = after.path();
  metrics::Registry registry;
  const auto made = Store::make(options, io_, clock_, log_, registry);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(after.get("t/p/a"), "answered, and this");
  EXPECT_FALSE(after.has("t/p/removed"));
  EXPECT_EQ(after.get("t/p/large"), "changed later");
}

TEST_F(WriteAheadLogTest, OfADeadProcessIsNotMadeAgain) {
  use_log();
  ASSERT_TRUE(write("a", "answered"));
  TestRoot after;
  kill_into(after);
  after.put("t/p/a", "the old server took over");

  Options options;
  options.root = after.path();
  metrics::Registry registry;
  ASSERT_TRUE(Store::make(options, io_, clock_, log_, registry));
  EXPECT_EQ(after.get("t/p/a"), "the old server took over");
}

TEST_F(WriteAheadLogTest, HasNothingOfARemovedFolder) {
  use_log();
  ASSERT_TRUE(write("folder/file", "x"));
  const FileKey folder = key_of("folder");
  ASSERT_TRUE(run(store_->remove_tree(folder)));
  TestRoot after;
  kill_into(after);
  forget_boot(after);
  Options options;
  options.root = after.path();
  metrics::Registry registry;
  ASSERT_TRUE(Store::make(options, io_, clock_, log_, registry));
  EXPECT_FALSE(after.has("t/p/folder"));
}

TEST_F(WriteAheadLogTest, GoesOnInTheOtherSegmentWhenOneIsFull) {
  use_log();
  for (int turn = 0; turn < 60; ++turn) {
    ASSERT_TRUE(write("file" + std::to_string(turn % 7),
                      std::string(100'000, static_cast<char>('a' + turn % 26))));
  }
  for (int turn = 53; turn < 60; ++turn) {
    EXPECT_EQ(read("file" + std::to_string(turn % 7)),
              std::string(100'000, static_cast<char>('a' + turn % 26)));
  }
  EXPECT_EQ(registry_->text().find("flowstore_storage_log_checkpoints_total 0"), std::string::npos);
}

TEST_F(WriteAheadLogTest, IsNotKeptWhileAnotherProcessWorksOnTheRoot) {
  use_log();
  ASSERT_TRUE(write("a", "by the first"));
  Options options;
  options.root = root_.path();
  metrics::Registry registry;
  auto second = Store::make(options, io_, clock_, log_, registry);
  ASSERT_TRUE(second) << second.error().message();
  const int frames = frames_of_log(*registry_);
  ASSERT_TRUE(write("a", "still by the first"));
  EXPECT_EQ(frames_of_log(*registry_), frames);
  EXPECT_EQ(stored("a"), "still by the first");
}

TEST_F(WriteAheadLogTest, GoesOnWhenAnotherProcessHasComeAndGone) {
  use_manual_clock();
  start();
  use_log();
  ASSERT_TRUE(write("a", "before"));
  manual_clock_.advance(std::chrono::seconds(3));  // it rests
  {
    Options options;
    options.root = root_.path();
    metrics::Registry registry;
    auto second = Store::make(options, io_, manual_clock_, log_, registry);
    ASSERT_TRUE(second) << second.error().message();
    store_.swap(*second);
    // They ask for a log, and take their time on the disk.
    for (int turn = 0; turn < 20; ++turn) ASSERT_TRUE(write("b", "of the second"));
    store_.swap(*second);
  }
  const int frames = frames_of_log(*registry_);
  ASSERT_TRUE(write("a", "answered"));
  ASSERT_GT(frames_of_log(*registry_), frames);
  TestRoot after;
  kill_into(after);
  after.put("t/p/a", "");
  start_after_power_cut(after);
  EXPECT_EQ(after.get("t/p/a"), "answered");
}

TEST_F(WriteAheadLogTest, IsNotMadeAgainOverWhatWasWrittenWithoutIt) {
  use_log();
  ASSERT_TRUE(write("a", "old and small"));
  ASSERT_TRUE(write("b", "old and small"));
  {
    const FileSizeLimit limit(0);
    break_log();
  }
  ASSERT_TRUE(write("a", std::string(200'000, 'l')));
  EXPECT_EQ(stored("a"), std::string(200'000, 'l'));
  EXPECT_EQ(stored("b"), "old and small");
}

TEST_F(WriteAheadLogTest, IsNotMadeAgainInAFolderThatWasRemoved) {
  use_log();
  ASSERT_TRUE(write("folder/file", "x"));
  {
    const FileSizeLimit limit(0);
    break_log();
  }
  const FileKey folder = key_of("folder");
  ASSERT_TRUE(run(store_->remove_tree(folder)));
  EXPECT_FALSE(root_.has("t/p/folder"));
}

TEST_F(WriteAheadLogTest, AnAppendFindsTheFileThatWasMadeAgainBeforeIt) {
  use_log();
  ASSERT_TRUE(write("a", "old"));
  {
    const FileSizeLimit limit(0);
    break_log();
  }
  ASSERT_TRUE(write("a", " and new", WriteMode::append));
  EXPECT_EQ(stored("a"), "old and new");
  ASSERT_TRUE(write("a", "!", WriteMode::append));
  EXPECT_EQ(read("a"), "old and new!");
}

TEST_F(WriteAheadLogTest, IsEmptyAfterAStopInGoodOrder) {
  use_log();
  ASSERT_TRUE(write("a", "answered"));
  store_.reset();
  forget_boot(root_);
  root_.put("t/p/a", "the old server took over");
  start();
  EXPECT_EQ(stored("a"), "the old server took over");
}

}  // namespace
}  // namespace flowstore::files::localfs
