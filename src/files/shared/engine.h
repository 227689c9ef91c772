// Engine: the thread on which processes come to terms with each other, through PostgreSQL.

#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/task.h"
#include "metrics/registry.h"
#include "postgres/call_loop.h"
#include "postgres/options.h"
#include "postgres/pool.h"
#include "postgres/purpose.h"
#include "postgres/runner.h"
#include "postgres/tls.h"

namespace flowstore::files::shared {

// The tables, which are made where they are missing.
class Tables final : public postgres::Purpose {
 public:
  std::string_view name() const override { return "files"; }
  std::string_view loss() const override {
    return "writes of files with a quota are answered with 503";
  }
  Task<std::optional<postgres::Trouble>> set_up(postgres::Connection& connection) override;
  std::vector<const postgres::Sql*> statements() const override;
};

// Safe to use from any thread.
class Engine {
 public:
  // References must outlive it, and so must what runs on `background`.
  Engine(const postgres::Options& options, postgres::Tls tls, Executor background,
         const Clock& clock, Log& log, metrics::Registry& registry);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs one statement, which does no harm if it is run twice. unavailable: no answer within the
  // time; it may have been run.
  Task<Result<postgres::Rows>> run(const postgres::Pipeline& statement,
                                   std::chrono::milliseconds time);

  // For what nobody waits for.
  const Executor& background() const noexcept { return background_; }

  // The right to run a statement again until it is answered. Null: there are a thousand already.
  std::shared_ptr<void> enter_retries();

  // Calls fail from now on.
  void stop();
  bool is_stopped() const noexcept { return is_stopped_; }

 private:
  postgres::CallLoop calls_;
  Executor background_;
  Tables tables_;
  postgres::Pool pool_;
  postgres::Runner runner_;
  std::atomic<bool> is_stopped_{false};
  std::atomic<int> retries_{0};
  Log& log_;
  metrics::Counter& statements_;
  metrics::Counter& failures_;
};

}  // namespace flowstore::files::shared
