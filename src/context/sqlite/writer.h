// Writer: the one thread that writes, many requests in one transaction.

#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "base/caller.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/outage_log.h"
#include "base/result.h"
#include "base/task.h"
#include "context/sqlite/checkpointer.h"
#include "context/sqlite/connection.h"
#include "context/sqlite/sqlite_store.h"
#include "context/sqlite/table.h"
#include "context/sqlite/write_queue.h"
#include "metrics/registry.h"

namespace flowstore::context::sqlite {

// Safe to use from any thread. Must outlive every call.
class Writer {
 public:
  // The references outlive the writer.
  Writer(const Options& options, const Clock& clock, Log& log, metrics::Registry& registry);
  ~Writer() { stop(); }

  // Opens the file and starts the thread. Error: one sentence for the operator.
  Status start();

  // Writes what is queued, answers it, and ends the thread; what comes later is refused. Leaves one
  // file without a journal where nobody else has it open.
  void stop();

  // Queues a change of the project and resumes the caller when it has been committed or has failed.
  // `bytes` is about what it keeps in memory meanwhile. A change is given up if its caller leaves
  // or its time is over before it was committed.
  Task<Status> write(const Caller& caller, const std::string& project, std::size_t bytes,
                     Change change);

  // Whether the file could be written when that was last tried.
  const OutageLog& outage() const noexcept { return outage_; }

 private:
  // Pages of 4 KiB. The checkpointer moves what lies in the journal without holding anybody up, but
  // under constant load it never catches up with the writer, and only a journal that was moved to
  // its last page starts over. So at eight times the length the writer moves the little that is
  // left.
  static constexpr int kPagesToMove = 1000;
  static constexpr int kPagesToEnd = 8 * kPagesToMove;

  bool enqueue(Job& job);
  void run();
  bool take(Jobs& batch);
  void answer_late(Jobs& batch);
  void settle(Jobs& batch);
  std::size_t commit(std::span<Job* const> jobs);
  struct Attempt {
    Code code = 0;
    std::size_t jobs = 0;  // how many of them the transaction held
  };
  Attempt try_commit(std::span<Job* const> jobs);
  void perform(Job& job, Attempt& attempt);
  void tend_journal();

  const Options& options_;
  const Clock& clock_;
  OutageLog outage_;
  metrics::Histogram& batch_sizes_;
  metrics::Histogram& commit_times_;
  metrics::Gauge& queue_length_;

  // Of the writer's thread.
  Connection connection_;
  Table table_;
  int journal_pages_ = 0;
  int next_move_ = kPagesToMove;  // at which length the checkpointer is asked,
  int next_end_ = kPagesToEnd;    // and at which the writer itself moves what is left
  Clock::Instant next_look_{};    // for those in the queue whose time is over

  Checkpointer checkpointer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  WriteQueue queue_;          // guarded by mutex_
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace flowstore::context::sqlite
