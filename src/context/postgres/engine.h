// Engine: the driver's thread and everything that lives on it.

#pragma once

#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/result.h"
#include "base/task.h"
#include "context/postgres/admission.h"
#include "context/postgres/database.h"
#include "context/postgres/errors.h"
#include "context/postgres/tables.h"
#include "context/postgres/writer.h"
#include "postgres/pool.h"
#include "postgres/runner.h"

namespace flowstore::context::postgres {

// One thread with its own loop: connections, queues and timers need no locks. Calls come in from
// any thread and go back to it.
class Engine {
 public:
  // References must outlive the engine.
  Engine(const Options& options, Tls tls, const Clock& clock, Log& log,
         metrics::Registry& registry);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs a task on the engine's thread and resumes the caller on its own executor with the result,
  // a Result. Fails as unavailable when the engine has stopped, or if too much waits for that
  // project already; `bytes` is what the call keeps in memory. `work` may refer to the caller's
  // locals: the caller is suspended meanwhile.
  template <class Work>
  auto call(const std::string& project, std::size_t bytes, Work& work)
      -> std::invoke_result_t<Work&> {
    using Outcome = typename std::invoke_result_t<Work&>::value_type;
    if (!enter()) co_return no_answer();
    std::optional<Outcome> outcome;
    auto visit = [&]() -> Task<> {
      const Visit here(*this);
      const auto ticket = admission_.enter(project, bytes);
      if (!ticket) {
        outcome.emplace(busy());
        co_return;
      }
      tick();
      outcome.emplace(co_await work());
    };
    const boost::asio::use_awaitable_t<> token;
    co_await boost::asio::co_spawn(loop_.get_executor(), std::move(visit), token);
    co_return *std::move(outcome);
  }

  // For tasks that call() runs.
  // Statements that change nothing.
  Task<Result<std::vector<Rows>>> read(const Pipeline& pipeline, Runner::Asker asker);
  Writer& writer() noexcept { return writer_; }
  const Schema& schema() const noexcept { return tables_.schema(); }

  // See ContextStore::stop().
  void stop();

 private:
  // A call that is under way, from enter() on.
  class Visit {
   public:
    explicit Visit(Engine& engine) : engine_(engine) {}
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() { engine_.leave(); }

   private:
    Engine& engine_;
  };

  bool enter();
  void leave();
  void end_if_empty();
  void pump();
  void tick();
  bool is_anybody_here();

  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keeps_running_;
  std::mutex mutex_;
  std::size_t calls_ = 0;    // guarded by mutex_
  bool is_stopped_ = false;  // guarded by mutex_
  Admission admission_;
  Tables tables_;
  Pool pool_;
  Runner reader_;
  Log& log_;
  Writer writer_;
  boost::asio::steady_timer timer_;
  bool is_ticking_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace flowstore::context::postgres
