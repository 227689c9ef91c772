// Engine: the driver's thread and everything that lives on it.

#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "context/postgres/admission.h"
#include "context/postgres/errors.h"
#include "context/postgres/tables.h"
#include "context/postgres/writer.h"
#include "postgres/call_loop.h"
#include "postgres/pool.h"
#include "postgres/runner.h"

namespace flowstore::context::postgres {

// Connections, queues and timers, on one thread.
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
    auto admitted = [&]() -> Task<Outcome> {
      const auto ticket = admission_.enter(project, bytes);
      if (!ticket) co_return busy();
      co_return co_await work();
    };
    auto outcome = co_await calls_.call(admitted);
    if (!outcome) co_return no_answer();
    co_return *std::move(outcome);
  }

  // Whether the database could be connected to when that was last tried. On any thread.
  const OutageLog& outage() const noexcept { return pool_.outage(); }

  // For tasks that call() runs.
  // Statements that change nothing.
  Task<Result<std::vector<Rows>>> read(const Pipeline& pipeline, Runner::Asker asker);
  Writer& writer() noexcept { return writer_; }
  const Schema& schema() const noexcept { return tables_.schema(); }

  // See ContextStore::stop().
  void stop();

 private:
  void pump();

  CallLoop calls_;
  Admission admission_;
  Tables tables_;
  Pool pool_;
  Runner reader_;
  Log& log_;
  Writer writer_;
};

}  // namespace flowstore::context::postgres
