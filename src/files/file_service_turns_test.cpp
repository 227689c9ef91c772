// FileService, when several write at the same time.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "files/test_file_service.h"

namespace flowstore::files {
namespace {

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
