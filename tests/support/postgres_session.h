// Databases of a real PostgreSQL for tests, and sessions with them.

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "postgres/connection.h"
#include "postgres/options.h"
#include "support/postgres_server.h"
#include "support/run.h"

namespace flowstore::postgres {

inline Options options_for(std::uint16_t port, const std::string& database) {
  Options options;
  options.host = "127.0.0.1";
  options.port = port;
  options.database = database;
  options.username = kPostgresUser;
  options.password = Secret(kPostgresPassword);
  return options;
}

// A blocking conversation, as any other program would have it. Used by one thread at a time.
class Session {
 public:
  using Row = std::vector<std::string>;

  explicit Session(const Options& options) {
    const ConnectWords words = {{"host", options.host},
                                {"hostaddr", options.host},
                                {"port", std::to_string(options.port)},
                                {"dbname", options.database},
                                {"user", options.username},
                                {"password", std::string(options.password.reveal())}};
    wait([this, &words]() -> Task<> {
      const auto trouble = co_await connection_->connect(words, Instant::max());
      if (trouble) throw std::runtime_error(trouble->message);
    });
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    connection_->close(Trouble());
    loop_.restart();
    loop_.run();
  }

  // The rows; throws what the server says.
  std::vector<Row> query(const std::string& text) {
    std::vector<Row> rows;
    wait([this, &text, &rows]() -> Task<> {
      const Sql sql(text.c_str());
      Pipeline pipeline;
      pipeline.add(sql);
      const Answer answer = co_await connection_->run(pipeline, Connection::Terms());
      if (answer.trouble) {
        throw std::runtime_error(answer.trouble->sqlstate + " " + answer.trouble->message);
      }
      const Rows& found = answer.results.front();
      for (int i = 0; i < found.count(); ++i) {
        Row& row = rows.emplace_back();
        for (int k = 0; k < found.columns(); ++k) row.emplace_back(found.text(i, k));
      }
    });
    return rows;
  }

  // The only column of the only row.
  std::string value(const std::string& text) { return query(text).at(0).at(0); }

 private:
  void wait(const std::function<Task<>()>& act) {
    bool is_done = false;
    std::exception_ptr thrown;
    auto body = [&]() -> Task<> { co_await act(); };
    boost::asio::co_spawn(loop_, body, [&](const std::exception_ptr& caught) {
      is_done = true;
      thrown = caught;
    });
    loop_.restart();
    while (!is_done) loop_.run_one();
    if (thrown) std::rethrow_exception(thrown);
  }

  boost::asio::io_context loop_;
  Canceller canceller_;
  std::shared_ptr<Connection> connection_ = std::make_shared<Connection>(loop_, canceller_);
};

// An empty database of the shared server, or of another one.
class TestDatabase {
 public:
  explicit TestDatabase(std::uint16_t port = shared_postgres().port()) : port_(port) {
    static std::atomic<int> count{0};
    name_ = "test" + std::to_string(++count);
    Session(options_for(port_, "postgres")).query("CREATE DATABASE " + name_);
  }

  Options options() const { return options_for(port_, name_); }
  const std::string& name() const noexcept { return name_; }

 private:
  std::uint16_t port_;
  std::string name_;
};

// Runs `work(0)`, `work(1)`, ... side by side on one loop, each to its end.
inline void run_side_by_side(int count, const std::function<Task<>(int id)>& work) {
  boost::asio::io_context loop;
  std::exception_ptr thrown;
  for (int id = 0; id < count; ++id) {
    boost::asio::co_spawn(
        loop, [&work, id] { return work(id); },
        [&thrown](const std::exception_ptr& caught) {
          if (caught) thrown = caught;
        });
  }
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
}

// Waits, at most half a minute, until `is_so`.
template <class Condition>
bool comes_true(Condition is_so) {
  for (int i = 0; i < 3000; ++i) {
    if (is_so()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace flowstore::postgres
