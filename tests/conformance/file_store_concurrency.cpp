// Many threads at one store. Writers of one file take turns, as FileService makes them do.

#include <algorithm>
#include <atomic>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/turns.h"
#include "conformance/file_store_conformance.h"
#include "support/bodies.h"
#include "support/run.h"

namespace flowstore::files {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 25;

// Calls `work(0)`, `work(1)`, ... at once and waits for all.
void on_threads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int id = 0; id < kThreads; ++id) threads.emplace_back(work, id);
  for (std::thread& thread : threads) thread.join();
}

Task<Status> write_in_turn(FileStore& store, Turns& turns, const FileKey& key, std::string bytes,
                           WriteMode mode) {
  StringSource body(std::move(bytes));
  FLOWSTORE_CO_TRY(const auto upload, co_await store.receive(key, body, mode));
  const Turn turn = co_await turns.take(key.path());
  FLOWSTORE_CO_TRY_STATUS(co_await upload->commit(Expected()));
  co_return Status();
}

TEST_P(FileStoreConformance, ReadersSeeTheOldOrTheNewFile) {
  // Larger than what one system call writes as a whole, and of another size for every writer.
  const auto content_of = [](int id) {
    return std::string(200'000 + static_cast<std::size_t>(id), static_cast<char>('a' + id));
  };
  const FileKey key = key_of("shared");
  ASSERT_TRUE(replace(key, content_of(0)));
  Turns turns;
  std::atomic<int> failures = 0;
  std::atomic<int> torn = 0;
  on_threads([&](int id) {
    for (int round = 0; round < kRounds; ++round) {
      if (!run(write_in_turn(store(), turns, key, content_of(id), WriteMode::replace))) ++failures;
      const auto seen = read("shared");
      if (!seen) {
        ++failures;
      } else if (*seen != content_of(seen->front() - 'a')) {
        ++torn;
      }
    }
  });
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(torn, 0);
}

TEST_P(FileStoreConformance, ReadersSeeTheFileAsItWasBeforeOrAfterALongAppend) {
  const std::size_t before = 100'000;
  const std::size_t after = before + (std::size_t{8} << 20U);
  ASSERT_TRUE(replace("log", std::string(before, 'a')));
  std::atomic<bool> is_done = false;
  std::thread writer([&] {
    EXPECT_TRUE(append("log", std::string(after - before, 'b')));
    is_done = true;
  });
  const auto is_whole = [&](std::uint64_t size) { return size == before || size == after; };
  int torn = 0;
  while (!is_done) {
    const auto seen = stat("log");
    if (!seen || !is_whole(seen->size)) ++torn;
    const auto bytes = read("log");
    if (!bytes || !is_whole(bytes->size())) ++torn;
  }
  writer.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(stat("log")->size, after);
}

TEST_P(FileStoreConformance, ConcurrentAppendsLoseNothing) {
  const FileKey key = key_of("dir/log");
  const auto line_of = [](int id, int round) {
    return std::to_string(id) + "-" + std::to_string(round) + std::string(500, '.');
  };
  Turns turns;
  std::atomic<int> failures = 0;
  on_threads([&](int id) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string line = line_of(id, round) + "\n";
      if (!run(write_in_turn(store(), turns, key, line, WriteMode::append))) ++failures;
    }
  });
  EXPECT_EQ(failures, 0);

  std::multiset<std::string> expected;
  for (int id = 0; id < kThreads; ++id) {
    for (int round = 0; round < kRounds; ++round) expected.insert(line_of(id, round));
  }
  std::multiset<std::string> lines;
  std::istringstream log(*read("dir/log"));
  for (std::string line; std::getline(log, line);) lines.insert(line);
  EXPECT_TRUE(lines == expected);
}

TEST_P(FileStoreConformance, MakesTheSameFoldersForManyAtOnce) {
  std::atomic<int> failures = 0;
  on_threads([&](int id) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string folder = "new" + std::to_string(round) + "/deep/er/";
      if (!replace(folder + std::to_string(id), "1")) ++failures;
    }
  });
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(usage(), static_cast<std::uint64_t>(kThreads * kRounds));
}

}  // namespace
}  // namespace flowstore::files
