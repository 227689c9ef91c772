// FileService over a store that others change, too.

#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "files/file_service.h"
#include "files/local_ledger.h"
#include "files/memory/memory_store.h"
#include "support/bodies.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace flowstore::files {
namespace {

FileKey key_of(std::string_view path) {
  return *FileKey::parse(*ProjectKey::parse("t", "p"), path);
}

// A memory store in which somebody else is faster, or whose answers get lost.
class RacingStore final : public FileStore {
 public:
  explicit RacingStore(const Clock& clock) : store_(1 << 20, clock) {}

  // So many commits and removals find that somebody was faster.
  int passed = 0;
  // The next change is made, or is not, and nobody says so.
  std::optional<bool> silent_outcome;
  // A replacement does not say what it replaced.
  bool hides_replaced_bytes = false;
  std::vector<Expected::What> expectations;

  std::string_view name() const override { return "racing"; }
  Task<Result<std::unique_ptr<Upload>>> receive(const FileKey& key, ByteSource& body,
                                                WriteMode mode) override {
    FLOWSTORE_CO_TRY(auto upload, co_await store_.receive(key, body, mode));
    co_return std::unique_ptr<Upload>(std::make_unique<RacingUpload>(*this, std::move(upload)));
  }
  Task<Result<FileStat>> stat(const FileKey& key) override { return store_.stat(key); }
  Task<Result<OpenFile>> open(const FileKey& key, Reading reading) override {
    return store_.open(key, reading);
  }
  Task<Result<std::uint64_t>> remove(const FileKey& key, Expected expected) override {
    FLOWSTORE_CO_TRY_STATUS(meet(expected));
    co_return co_await store_.remove(key, std::move(expected));
  }
  Task<Result<RemovedTree>> remove_tree(const FileKey& folder) override {
    return store_.remove_tree(folder);
  }
  Task<Result<Listing>> list(const FileKey& folder, const ListOptions& options) override {
    return store_.list(folder, options);
  }
  Task<Result<std::uint64_t>> usage(const ProjectKey& project) override {
    return store_.usage(project);
  }
  Task<Result<std::vector<ProjectKey>>> projects(std::string_view team) override {
    return store_.projects(team);
  }
  Task<Result<std::vector<std::string>>> teams() override { return store_.teams(); }
  Task<Status> probe() override { return store_.probe(); }

 private:
  class RacingUpload final : public Upload {
   public:
    RacingUpload(RacingStore& store, std::unique_ptr<Upload> upload)
        : store_(store), upload_(std::move(upload)) {}

    std::uint64_t size() const override { return upload_->size(); }
    Task<Result<WriteResult>> commit(Expected expected) override {
      const Status met = store_.meet(expected);
      co_return co_await settle(met, std::move(expected));
    }

   private:
    Task<Result<WriteResult>> settle(const Status& met, Expected expected) {
      if (!met) co_return met.error();
      const Error lost(ErrorKind::unavailable, "lost", "no answer");
      const auto silent = std::exchange(store_.silent_outcome, std::nullopt);
      if (silent == false) co_return lost;
      auto written = co_await upload_->commit(std::move(expected));
      if (silent) co_return lost;
      if (written && store_.hides_replaced_bytes) written->replaced_bytes.reset();
      co_return written;
    }

    RacingStore& store_;
    std::unique_ptr<Upload> upload_;
  };

  Status meet(const Expected& expected) {
    expectations.push_back(expected.what);
    if (passed == 0) return Status();
    --passed;
    return Error(ErrorKind::conflict, "conflict", "somebody was faster");
  }

  memory::Store store_;
};

class FileServiceRace : public testing::Test {
 protected:
  Result<WriteResult> write(std::string_view path, std::string bytes,
                            std::optional<std::uint64_t> quota = std::nullopt,
                            WriteMode mode = WriteMode::replace) {
    WriteOptions options;
    options.quota = quota;
    options.mode = mode;
    StringSource body(std::move(bytes));
    const FileKey key = key_of(path);
    return run(service_.write(key, body, options));
  }
  Status remove(std::string_view path) {
    const FileKey key = key_of(path);
    const Preconditions none;
    return run(service_.remove(key, none));
  }
  std::uint64_t used() { return *run(service_.used(*ProjectKey::parse("t", "p"))); }
  // Lets a count that is due be made.
  std::uint64_t used_after_recount() {
    used();
    background_.restart();
    background_.poll();
    return used();
  }

  ManualClock clock_;
  metrics::Registry registry_;
  RacingStore store_{clock_};
  boost::asio::io_context background_;
  LocalLedger ledger_{store_, clock_, registry_, background_.get_executor()};
  FileService service_{store_, ledger_, clock_, registry_};
};

TEST_F(FileServiceRace, LooksAgainWhenSomebodyWasFaster) {
  store_.passed = 3;
  EXPECT_TRUE(write("a", "12345", 100));
  EXPECT_EQ(used(), 5U);
  store_.passed = 3;
  EXPECT_TRUE(remove("a"));
  EXPECT_EQ(used(), 0U);
}

TEST_F(FileServiceRace, GivesUpWhenSomebodyAlwaysIs) {
  store_.passed = 1000;
  const auto written = write("a", "12345", 100);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind(), ErrorKind::conflict);
  EXPECT_EQ(remove("a").error().kind(), ErrorKind::conflict);
  EXPECT_GT(store_.passed, 900);
  EXPECT_EQ(used(), 0U);
}

TEST_F(FileServiceRace, ExpectsWhatItsCountGoesBy) {
  ASSERT_TRUE(write("a", "1"));
  ASSERT_TRUE(write("a", "2", 100));
  ASSERT_TRUE(write("b", "3", 100));
  ASSERT_TRUE(write("b", "4", 100, WriteMode::append));
  using What = Expected::What;
  EXPECT_EQ(store_.expectations,
            (std::vector<What>{What::anything, What::this_file, What::no_file, What::anything}));
}

TEST_F(FileServiceRace, CountsALostAnswerAsWrittenUntilItLooks) {
  ASSERT_TRUE(write("a", "12345", 100));
  store_.silent_outcome = false;
  EXPECT_EQ(write("b", "1234567890", 100).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(used(), 15U);
  EXPECT_EQ(used_after_recount(), 5U);
  store_.silent_outcome = true;
  EXPECT_EQ(write("b", "1234567890", 100).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(used_after_recount(), 15U);
}

TEST_F(FileServiceRace, CountsWhatAReplacementHidesUntilItLooks) {
  ASSERT_TRUE(write("a", "12345"));
  EXPECT_EQ(used(), 5U);
  store_.hides_replaced_bytes = true;
  ASSERT_TRUE(write("a", "123"));
  EXPECT_EQ(used(), 8U);
  EXPECT_EQ(used_after_recount(), 3U);
}

}  // namespace
}  // namespace flowstore::files
