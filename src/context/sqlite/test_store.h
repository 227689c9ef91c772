// What the tests of the SQLite driver share: a store in a folder of its own, and other programs at
// the same file.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/file_descriptor.h"
#include "base/log.h"
#include "context/sqlite/connection.h"
#include "context/sqlite/sqlite_store.h"
#include "metrics/registry.h"
#include "support/run.h"
#include "support/sample.h"

namespace flowstore::context::sqlite {

// As the old server makes its table.
constexpr const char* kOldSchema =
    "CREATE TABLE `Contexts` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `project` VARCHAR(255) NOT "
    "NULL, `scope` VARCHAR(255) NOT NULL, `values` JSON NOT NULL, `createdAt` DATETIME NOT NULL, "
    "`updatedAt` DATETIME NOT NULL, UNIQUE (`project`, `scope`));";

// JSON text of that many characters.
inline std::string text_of(std::size_t characters) {
  return "\"" + std::string(characters - 2, 'x') + "\"";
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr) << folder_;
    options_.file = folder_ + "/context.db";
    // Sanitizers on a busy machine are slow; only tests about patience wait for the end of it.
    options_.patience = std::chrono::seconds(60);
    const FileDescriptor output(
        ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    log_.emplace(LogLevel::info, LogFormat::json, clock_, output.get());
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Status open() {
    store_.reset();
    auto made = make_store(options_, io_, clock_, *log_, registry_);
    if (!made) return made.error();
    store_ = *std::move(made);
    return {};
  }

  // All that was logged. Ends the store.
  std::string log() {
    store_.reset();
    log_.reset();
    std::ifstream file(folder_ + "/log");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // Rows of the project "p". Each runs to its end.
  Status put(const std::string& scope, const std::string& values,
             CharacterLimit limit = std::nullopt) {
    const RowKey key("p", scope);
    return ::flowstore::run(store_->replace(caller_, key, NewValues(values), limit));
  }
  Status remove(const std::string& scope, CharacterLimit limit = std::nullopt) {
    const RowKey key("p", scope);
    return ::flowstore::run(store_->replace(caller_, key, std::nullopt, limit));
  }
  std::string get(const std::string& scope) {
    const RowKey key("p", scope);
    const auto values = ::flowstore::run(store_->read(caller_, key));
    return values ? values->value_or("nothing") : "error";
  }
  // The rows of a project as its pages count them.
  std::uint64_t count(const std::string& project = "p") {
    const auto page = ::flowstore::run(store_->list(caller_, project, 0, 1));
    EXPECT_TRUE(page);
    return page ? page->count : UINT64_MAX;
  }

  // Runs `work(0)` to `work(tasks - 1)` side by side on the calling thread, to their ends. `queued`
  // is called when each of them waits for something for the first time.
  void run_all(
      int tasks, const std::function<Task<>(int)>& work,
      const std::function<void()>& queued = [] {}) {
    boost::asio::io_context loop;
    for (int i = 0; i < tasks; ++i) {
      boost::asio::co_spawn(loop, work(i), boost::asio::detached);
    }
    loop.poll();
    queued();
    loop.run();
  }

  // Another program that opens the file for one statement; the first column of its first row.
  std::string sql(const char* statement) {
    Connection other;
    join(other);
    Code code = 0;
    std::string answer = other.ask(statement, code);
    EXPECT_EQ(code, 0) << other.message();
    return answer;
  }
  // Another program that opens the file.
  void join(Connection& other) const {
    EXPECT_EQ(other.open(options_.file, Missing::make, std::chrono::seconds(60)), 0);
  }

  // The value of a metric of this driver.
  double metric(const std::string& name) const {
    return sample_in(registry_.text(), name + R"({driver="sqlite"})");
  }

  std::string folder_ = testing::TempDir() + "/sqlite-XXXXXX";
  Options options_;
  SystemClock clock_;
  std::optional<Log> log_;
  metrics::Registry registry_;
  BlockingPool io_{4};
  Caller caller_;
  std::unique_ptr<ContextStore> store_;
};

}  // namespace flowstore::context::sqlite
