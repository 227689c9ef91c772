#include "files/file_service.h"

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "files/local_ledger.h"
#include "support/bodies.h"
#include "support/manual_clock.h"
#include "support/run.h"
#include "support/watched_store.h"

namespace flowstore::files {
namespace {

ProjectKey project_of(std::string_view id) { return *ProjectKey::parse("t", id); }

FileKey key_of(std::string_view path, std::string_view project = "p") {
  return *FileKey::parse(project_of(project), path);
}

WriteOptions with_quota(std::uint64_t quota, WriteMode mode = WriteMode::replace) {
  WriteOptions options;
  options.quota = quota;
  options.mode = mode;
  return options;
}

WriteOptions appending() {
  WriteOptions options;
  options.mode = WriteMode::append;
  return options;
}

WriteOptions only_if(std::string etag) {
  WriteOptions options;
  options.conditions.if_match.emplace();
  options.conditions.if_match->etags.push_back(std::move(etag));
  return options;
}

WriteOptions only_if_new() {
  WriteOptions options;
  options.conditions.if_none_match.emplace();
  options.conditions.if_none_match->is_any = true;
  return options;
}

// A body that stops in the middle until the gate opens.
class SlowSource final : public ByteSource {
 public:
  explicit SlowSource(Turns& gate) : gate_(gate) {}

  Task<Result<std::string_view>> next() override {
    if (pieces_left_ == 0) co_return std::string_view();
    if (--pieces_left_ == 0) const Turn open = co_await gate_.take("gate");
    co_return std::string_view("slow");
  }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  Turns& gate_;
  int pieces_left_ = 2;
};

class FileServiceTest : public testing::Test {
 protected:
  Result<WriteResult> write(std::string_view path, std::string bytes,
                            const WriteOptions& options = WriteOptions()) {
    StringSource body(std::move(bytes));
    return write(path, body, options);
  }
  Result<WriteResult> write(std::string_view path, ByteSource& body, const WriteOptions& options) {
    const FileKey key = key_of(path);
    return run(service_.write(key, body, options));
  }
  // As if a body of so many bytes had been written; its answer.
  std::string outcome(std::string_view path, std::size_t size, const WriteOptions& options) {
    const auto written = write(path, std::string(size, 'x'), options);
    return written ? "ok" : written.error().code();
  }
  std::string read(std::string_view path) {
    const FileKey key = key_of(path);
    const auto file = run(service_.read(key, Reading::all));
    return file ? bytes_of(file->content) : file.error().code();
  }
  Status remove(std::string_view path, const Preconditions& conditions = Preconditions()) {
    const FileKey key = key_of(path);
    return run(service_.remove(key, conditions));
  }
  std::uint64_t used(std::string_view project = "p") {
    const ProjectKey key = project_of(project);
    return *run(service_.used(key));
  }
  // What the files really hold.
  std::uint64_t stored(std::string_view project = "p") {
    const ProjectKey key = project_of(project);
    return *run(store_.usage(key));
  }
  bool has_metric(std::string_view line) {
    return registry_.text().find(std::string(line) + "\n") != std::string::npos;
  }

  ManualClock clock_;
  WatchedStore store_{clock_};
  metrics::Registry registry_;
  boost::asio::io_context background_;
  LocalLedger ledger_{store_, clock_, registry_, background_.get_executor()};
  FileService service_{store_, ledger_, clock_, registry_};
};

TEST_F(FileServiceTest, WritesReadsAndRemoves) {
  ASSERT_TRUE(write("dir/a", "hello"));
  ASSERT_TRUE(write("dir/a", " world", appending()));
  EXPECT_EQ(read("dir/a"), "hello world");
  EXPECT_EQ(run(service_.stat(key_of("dir/a")))->size, 11U);
  EXPECT_TRUE(remove("dir/a"));
  EXPECT_EQ(read("dir/a"), "ENOENT");
  EXPECT_EQ(remove("dir/a").error().kind(), ErrorKind::not_found);
}

TEST_F(FileServiceTest, AFolderIsNotWritten) {
  const auto written = write("dir/", "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message(), "EISDIR: illegal operation on a directory, open 'dir/'");
  EXPECT_EQ(outcome("", 1, WriteOptions()), "EISDIR");
}

TEST_F(FileServiceTest, SaysTheSameOfAFolderWithAQuotaAndConditions) {
  ASSERT_TRUE(write("dir/a", "x"));
  WriteOptions options = with_quota(100);
  options.conditions.if_none_match = only_if_new().conditions.if_none_match;
  const auto written = write("dir", "x", options);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message(), "EISDIR: illegal operation on a directory, open 'dir'");
}

TEST_F(FileServiceTest, AFileIsNoFolder) {
  ASSERT_TRUE(write("a", "hello"));
  EXPECT_EQ(read("a/"), "ENOTDIR");
  EXPECT_EQ(run(service_.stat(key_of("a/"))).error().code(), "ENOTDIR");
  EXPECT_EQ(remove("a/").error().code(), "ENOTDIR");
  EXPECT_EQ(read("a"), "hello");
}

TEST_F(FileServiceTest, CountsTheDifferenceAgainstTheQuota) {
  ASSERT_TRUE(write("old", std::string(40, 'x')));
  ASSERT_TRUE(write("other", std::string(50, 'x')));
  struct Row {
    std::string_view path;
    WriteMode mode;
    std::size_t size;
    bool is_allowed;
  };
  for (const Row& row : {
           Row{"new", WriteMode::replace, 10, false},  // 90 + 10: reaching it is too much
           Row{"new", WriteMode::append, 10, false},
           Row{"old", WriteMode::append, 10, false},
           Row{"old", WriteMode::replace, 50, false},  // 90 - 40 + 50
           Row{"old", WriteMode::replace, 49, true},
           Row{"old", WriteMode::replace, 40, true},
           Row{"old", WriteMode::append, 9, true},
           Row{"old", WriteMode::replace, 40, true},
           Row{"new", WriteMode::append, 9, true},
       }) {
    const std::string result = outcome(row.path, row.size, with_quota(100, row.mode));
    EXPECT_EQ(result, row.is_allowed ? "ok" : "over_quota") << row.path << " " << row.size;
    EXPECT_EQ(used(), stored());
  }
  EXPECT_EQ(used(), 99U);
}

TEST_F(FileServiceTest, OverQuotaLeavesTheFileAsItWas) {
  ASSERT_TRUE(write("a", "hello"));
  const auto refused = write("a", std::string(100, 'x'), with_quota(100));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::over_quota);
  EXPECT_EQ(refused.error().limit(), 100U);
  EXPECT_EQ(read("a"), "hello");
  EXPECT_TRUE(has_metric("flowstore_quota_rejections_total 1"));
}

TEST_F(FileServiceTest, AProjectOverItsQuotaMayOnlyShrink) {
  ASSERT_TRUE(write("a", std::string(100, 'x')));
  EXPECT_EQ(outcome("a", 99, with_quota(50)), "ok");
  EXPECT_EQ(outcome("a", 99, with_quota(50)), "over_quota");
  EXPECT_EQ(outcome("a", 0, with_quota(50, WriteMode::append)), "over_quota");
  EXPECT_EQ(outcome("new", 0, with_quota(50)), "over_quota");
  EXPECT_EQ(outcome("a", 0, with_quota(50)), "ok");
  EXPECT_EQ(used(), 0U);
}

TEST_F(FileServiceTest, RefusesAHopelessBodyBeforeReadingIt) {
  ASSERT_TRUE(write("a", std::string(50, 'x')));
  WriteOptions small;
  small.max_size = 9;
  for (const WriteOptions& options : {with_quota(60), small}) {
    PiecesSource body({"0123456789"});
    body.announce(10);
    EXPECT_FALSE(write("b", body, options));
    EXPECT_EQ(body.pulled(), 0U);
  }
  EXPECT_EQ(stored(), 50U);
}

TEST_F(FileServiceTest, StopsAnEndlessBodyAtTheQuota) {
  ASSERT_TRUE(write("a", std::string(50, 'x')));
  PiecesSource body(std::vector<std::string>(1000, "0123456789"));
  const auto refused = write("b", body, with_quota(100));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::over_quota);
  EXPECT_EQ(body.pulled(), 5U);
  EXPECT_EQ(stored(), 50U);
  EXPECT_TRUE(has_metric("flowstore_quota_rejections_total 1"));
}

TEST_F(FileServiceTest, AnUnannouncedBodyMayUseTheWholeRoom) {
  ASSERT_TRUE(write("a", std::string(50, 'x')));
  PiecesSource fits({std::string(98, 'x'), "x"});
  EXPECT_TRUE(write("a", fits, with_quota(100)));
  PiecesSource reaches({std::string(99, 'x'), "x"});
  EXPECT_FALSE(write("a", reaches, with_quota(100)));
}

TEST_F(FileServiceTest, BoundsTheSizeOfAFile) {
  WriteOptions options;
  options.max_size = 10;
  PiecesSource exactly({"01234", "56789"});
  EXPECT_TRUE(write("a", exactly, options));
  PiecesSource more({"01234", "56789", "x", "y"});
  const auto refused = write("a", more, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::too_large);
  EXPECT_EQ(refused.error().limit(), 10U);
  EXPECT_EQ(more.pulled(), 3U);
  EXPECT_EQ(read("a"), "0123456789");
}

TEST_F(FileServiceTest, ABodyThatBreaksOffKeepsNoRoom) {
  PiecesSource body({std::string(90, 'x')});
  body.break_off(client_went_away());
  EXPECT_EQ(write("a", body, with_quota(100)).error().kind(), ErrorKind::aborted);
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(outcome("a", 99, with_quota(100)), "ok");
}

TEST_F(FileServiceTest, WritesOnlyUnderTheConditions) {
  const auto made = write("a", "1", only_if_new());
  ASSERT_TRUE(made);
  EXPECT_EQ(write("a", "2", only_if_new()).error().kind(), ErrorKind::precondition_failed);
  EXPECT_EQ(write("a", "2", only_if("\"x\"")).error().kind(), ErrorKind::precondition_failed);
  EXPECT_EQ(write("b", "2", only_if("\"x\"")).error().kind(), ErrorKind::precondition_failed);
  EXPECT_EQ(read("a"), "1");
  EXPECT_TRUE(write("a", "2", only_if(made->stat.etag)));
  EXPECT_FALSE(write("a", "3", only_if(made->stat.etag)));
  EXPECT_EQ(read("a"), "2");
}

TEST_F(FileServiceTest, RemovesOnlyUnderTheConditions) {
  const auto made = write("a", "1");
  EXPECT_EQ(remove("a", only_if("\"x\"").conditions).error().kind(),
            ErrorKind::precondition_failed);
  EXPECT_EQ(read("a"), "1");
  EXPECT_TRUE(remove("a", only_if(made->stat.etag).conditions));
  EXPECT_EQ(read("a"), "ENOENT");
}

Task<> write_slowly(FileService& service, const FileKey& key, ByteSource& body,
                    const WriteOptions& options, std::optional<Result<WriteResult>>& answer) {
  answer.emplace(co_await service.write(key, body, options));
}

TEST_F(FileServiceTest, ASlowClientHoldsUpNobody) {
  Turns gate;
  std::optional<Turn> closed = run(gate.take("gate"));
  SlowSource slow(gate);
  const FileKey key = key_of("a");
  const WriteOptions options = with_quota(100);
  std::optional<Result<WriteResult>> answer;
  boost::asio::io_context loop;
  spawn(loop.get_executor(), "slow", write_slowly(service_, key, slow, options, answer));
  loop.poll();
  EXPECT_EQ(outcome("a", 99, options), "ok");
  EXPECT_FALSE(answer);

  closed.reset();
  loop.restart();
  loop.run();
  EXPECT_TRUE(answer && *answer);
  EXPECT_EQ(read("a"), "slowslow");
}

TEST_F(FileServiceTest, JudgesConditionsAndQuotaWhenTheBodyIsComplete) {
  for (const WriteOptions& options : {only_if_new(), with_quota(105)}) {
    ASSERT_TRUE(run(service_.remove_tree(key_of(""))));
    Turns gate;
    std::optional<Turn> closed = run(gate.take("gate"));
    SlowSource slow(gate);
    const FileKey key = key_of("a");
    std::optional<Result<WriteResult>> answer;
    boost::asio::io_context loop;
    spawn(loop.get_executor(), "slow", write_slowly(service_, key, slow, options, answer));
    loop.poll();
    // Both were fine when the body began.
    ASSERT_TRUE(write("a", "1"));
    ASSERT_TRUE(write("b", std::string(99, 'x')));
    closed.reset();
    loop.restart();
    loop.run();
    ASSERT_TRUE(answer);
    EXPECT_FALSE(*answer);
    EXPECT_EQ(read("a"), "1");
  }
}

Task<> ask(FileService& service, const ProjectKey& project) {
  EXPECT_TRUE(co_await service.used(project));
}

TEST_F(FileServiceTest, JudgesAndWritesInOneTurn) {
  const FileKey key = key_of("a");
  const ProjectKey project = project_of("p");
  const WriteOptions options = only_if_new();
  StringSource one("1");
  StringSource two("2");
  std::optional<Result<WriteResult>> first;
  std::optional<Result<WriteResult>> second;
  boost::asio::io_context loop;
  // A first count holds the changes back, between their judgement and their commit.
  std::optional<Turn> held = store_.hold_walks();
  spawn(loop.get_executor(), "count", ask(service_, project));
  spawn(loop.get_executor(), "one", write_slowly(service_, key, one, options, first));
  spawn(loop.get_executor(), "two", write_slowly(service_, key, two, options, second));
  loop.poll();
  EXPECT_FALSE(first || second);
  held.reset();
  loop.restart();
  loop.run();
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(*first);
  EXPECT_FALSE(*second);
  EXPECT_EQ(read("a"), "1");
}

TEST_F(FileServiceTest, KnowsWhatAProjectUses) {
  EXPECT_EQ(used(), 0U);
  ASSERT_TRUE(write("a", "12345"));
  ASSERT_TRUE(write("a", "67", appending()));
  ASSERT_TRUE(write("dir/b", "123"));
  ASSERT_TRUE(write("dir/c", "123"));
  EXPECT_EQ(used(), 13U);
  ASSERT_TRUE(write("a", "1"));
  EXPECT_EQ(used(), 7U);
  ASSERT_TRUE(remove("dir/b"));
  EXPECT_EQ(used(), 4U);
  ASSERT_TRUE(run(service_.remove_tree(key_of("dir"))));
  EXPECT_EQ(used(), 1U);
  EXPECT_FALSE(remove("dir/b"));
  EXPECT_EQ(used(), 1U);
  EXPECT_EQ(store_.walks(), 1);
}

TEST_F(FileServiceTest, KnowsWhatATeamUses) {
  for (const char* project : {"p", "q"}) {
    StringSource body("12345");
    const FileKey key = key_of("a", project);
    ASSERT_TRUE(run(service_.write(key, body, WriteOptions())));
  }
  EXPECT_EQ(*run(service_.used_by_team("t")), 10U);
  EXPECT_EQ(*run(service_.used_by_team("unknown")), 0U);
  EXPECT_TRUE(*run(service_.has_files(project_of("q"))));
  EXPECT_FALSE(*run(service_.has_files(project_of("unknown"))));
}

TEST_F(FileServiceTest, ListsFolders) {
  ASSERT_TRUE(write("dir/a", "1"));
  const FileKey folder = key_of("dir");
  const ListOptions options;
  const auto listing = run(service_.list(folder, options));
  ASSERT_TRUE(listing);
  ASSERT_EQ(listing->entries.size(), 1U);
  EXPECT_EQ(listing->entries[0].name, "a");
}

TEST_F(FileServiceTest, MeasuresTheStore) {
  ASSERT_TRUE(write("a", "1"));
  EXPECT_EQ(read("a"), "1");
  ASSERT_TRUE(remove("a"));
  for (const std::string operation : {"receive", "commit", "open", "remove"}) {
    EXPECT_TRUE(has_metric(
        "flowstore_storage_operation_duration_seconds_count{driver=\"memory\",operation=\"" +
        operation + "\"} 1"))
        << operation;
  }
}

void on_threads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) threads.emplace_back(work, id);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(FileServiceTest, ConcurrentWritersNeverReachTheQuota) {
  std::atomic<int> written = 0;
  on_threads([&](int id) {
    for (int i = 0; i < 50; ++i) {
      const std::string path = std::to_string(id) + "/" + std::to_string(i);
      if (write(path, std::string(10, 'x'), with_quota(1000))) ++written;
    }
  });
  EXPECT_EQ(written, 99);
  EXPECT_EQ(stored(), 990U);
  EXPECT_EQ(used(), 990U);
}

TEST_F(FileServiceTest, ConcurrentChangesKeepTheSumExact) {
  on_threads([&](int id) {
    for (int i = 0; i < 50; ++i) {
      const auto size = static_cast<std::size_t>(7 * i % 30 + id);
      const std::string path = std::to_string(i % 5);
      EXPECT_TRUE(write(path, std::string(size, 'x')));
      EXPECT_TRUE(write(path, "x", with_quota(1'000'000, WriteMode::append)));
      if (i % 7 == id) static_cast<void>(remove(path));
    }
  });
  EXPECT_EQ(used(), stored());
}

TEST_F(FileServiceTest, OnlyOneOfManyMakesAFile) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> made = 0;
    on_threads([&](int) {
      if (write("file" + std::to_string(round), "x", only_if_new())) ++made;
    });
    EXPECT_EQ(made, 1);
  }
}

TEST_F(FileServiceTest, ConcurrentAppendsLoseNothing) {
  on_threads([&](int) {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(write("log", "line\n", appending()));
  });
  EXPECT_EQ(read("log").size(), 4U * 50 * 5);
}

}  // namespace
}  // namespace flowstore::files
