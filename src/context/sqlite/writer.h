// Writer: the one thread that writes, many requests in one transaction.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/caller.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/outage_log.h"
#include "base/result.h"
#include "base/task.h"
#include "context/sqlite/connection.h"
#include "context/sqlite/sqlite_store.h"
#include "context/sqlite/table.h"
#include "metrics/registry.h"

namespace flowstore::context::sqlite {

// What a request wants done with the table. Runs on the writer's thread, perhaps more than once.
using Change = std::function<Table::Outcome(Table& table)>;

// Safe to use from any thread. Must outlive every call.
class Writer {
 public:
  // The references outlive the writer.
  Writer(const Options& options, const Clock& clock, Log& log, metrics::Registry& registry);

  ~Writer();

  // Writes what is queued, then ends the thread; later calls of write() fail. Blocks. Idempotent.
  void stop();

  // Opens the file and starts the thread. Error: one sentence for the operator.
  Status start();

  // Queues a change and resumes the caller when it has been committed or has failed. `bytes` is
  // about what it keeps in memory meanwhile. A change is given up if its caller leaves or its time
  // is over before its turn comes.
  Task<Status> write(const Caller& caller, std::size_t bytes, Change change);

 private:
  // In the frame of the coroutine that waits for it.
  struct Job {
    Job(const Caller& asking, std::size_t size, Change what)
        : caller(asking), bytes(size), change(std::move(what)) {}
    const Caller& caller;
    std::size_t bytes;
    Change change;
    Clock::Instant deadline;
    Status outcome;
    std::function<void()> resume;
  };
  using Batch = std::vector<Job*>;

  bool enqueue(Job& job);
  void run();
  bool take(Batch& batch);
  void commit(const Batch& batch);
  Code try_commit(const Batch& batch);
  Table::Outcome perform(Job& job);
  void give_up(const Batch& batch, Code code);

  const Options& options_;
  const Clock& clock_;
  OutageLog outage_;
  metrics::Histogram& batch_sizes_;
  metrics::Histogram& commit_times_;
  metrics::Gauge& queue_length_;
  Connection connection_;
  Table table_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> queue_;        // guarded by mutex_
  std::size_t queued_bytes_ = 0;  // guarded by mutex_
  bool is_stopping_ = false;      // guarded by mutex_
  std::thread thread_;
};

}  // namespace flowstore::context::sqlite
