// Everything on the writer's own thread blocks: for the disk, and for other processes.

#include "context/sqlite/writer.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include <sqlite3.h>

#include "base/crash_point.h"
#include "base/offload.h"
#include "context/sqlite/schema.h"
#include "context/sqlite/trouble.h"

namespace flowstore::context::sqlite {
namespace {

using std::chrono::milliseconds;

// One transaction: enough requests to share one fsync well (64 give 62 to 70 % of the rate without
// any), little enough that the first does not wait long for the last.
constexpr std::size_t kBatchJobs = 64;
constexpr std::size_t kBatchBytes = std::size_t{2} << 20U;

// How long one attempt waits for another process. In between, those whose time is over are
// answered.
constexpr milliseconds kBusyWait{250};

std::vector<double> batch_bounds() { return {1, 2, 4, 8, 16, 32, 64}; }
std::vector<double> time_bounds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};
}

// Resumes whoever waits for the job, which is gone afterwards.
void answer(Job& job) { std::exchange(job.resume, nullptr)(); }

}  // namespace

Writer::Writer(const Options& options, const Clock& clock, Log& log, metrics::Registry& registry)
    : options_(options),
      clock_(clock),
      outage_(clock, log,
              "the context database cannot be written; check the disk and who else uses the file",
              "the context database can be written again"),
      batch_sizes_(registry.histogram("flowstore_context_batch_size", "Writes in one transaction.",
                                      batch_bounds(), {{"driver", "sqlite"}})),
      commit_times_(registry.histogram("flowstore_context_commit_duration_seconds",
                                       "Time of one transaction that writes.", time_bounds(),
                                       {{"driver", "sqlite"}})),
      queue_length_(registry.gauge("flowstore_context_queue_length",
                                   "Writes that wait for their turn.", {{"driver", "sqlite"}})),
      table_(connection_, clock),
      checkpointer_(options, clock, log) {}

Status Writer::start() {
  FLOWSTORE_TRY_STATUS(open_for_writing(connection_, options_));
  if (table_.prepare() != SQLITE_OK) {
    return Error(ErrorKind::internal, "context",
                 "context.options.storage " + options_.file + ": " + connection_.message() +
                     "; is this the context database of flowstore or the FlowFuse file server?");
  }
  if (options_.journal == Journal::wal) {
    connection_.keep_journal();
    checkpointer_.start();
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  checkpointer_.stop();
  table_.close();
  connection_.set_patience(milliseconds(0));
  connection_.run("PRAGMA wal_checkpoint(TRUNCATE)");
  connection_.close();
}

Task<Status> Writer::write(const Caller& caller, const std::string& project, std::size_t bytes,
                           Change change) {
  Job job(caller, project, bytes, std::move(change));
  job.deadline = clock_.now() + options_.patience;
  const OffloadedWork work;
  auto begin = [this, &job](Resume resume) {
    job.resume = std::move(resume);
    if (enqueue(job)) return;
    job.outcome = busy();
    answer(job);
  };
  co_await suspend(std::move(begin));
  co_return std::move(job.outcome);
}

bool Writer::enqueue(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || !queue_.add(job)) return false;
    queue_length_.set(static_cast<std::int64_t>(queue_.size()));
  }
  wake_.notify_one();
  return true;
}

void Writer::run() {
  Jobs batch;
  while (take(batch)) {
    settle(batch);
    tend_journal();
  }
}

// Waits for work and takes what fits into one transaction; false when there is none and will be
// none.
bool Writer::take(Jobs& batch) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return queue_.size() > 0 || is_stopping_; });
  queue_.take(batch, kBatchJobs, kBatchBytes);
  queue_length_.set(static_cast<std::int64_t>(queue_.size()));
  return !batch.empty();
}

// Commits and answers all of the batch. While another process holds the file nothing but time
// passes, for those who still wait as well.
void Writer::settle(Jobs& batch) {
  while (true) {
    answer_late(batch);
    if (batch.empty()) return;
    const std::size_t through = commit(batch);
    for (std::size_t i = 0; i < through; ++i) answer(*batch[i]);
    batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(through));
  }
}

// Answers those whose time is over, or whose callers have left, in the batch and in the queue.
void Writer::answer_late(Jobs& batch) {
  const auto now = clock_.now();
  Jobs late;
  std::erase_if(batch, [&](Job* job) {
    const bool is_late = now >= job->deadline || job->caller.has_left();
    if (is_late) late.push_back(job);
    return is_late;
  });
  // Looking through the queue at every batch would cost more than it brings.
  if (now >= next_look_) {
    next_look_ = now + options_.patience / 8;
    const std::lock_guard lock(mutex_);
    queue_.take_late(now, late);
    queue_length_.set(static_cast<std::int64_t>(queue_.size()));
  }
  for (Job* const job : late) {
    job->outcome = job->caller.has_left() ? left() : busy();
    answer(*job);
  }
}

// How many of the first jobs are through, committed or failed; none while the file is busy.
std::size_t Writer::commit(std::span<Job* const> jobs) {
  const auto started = clock_.now();
  const Attempt attempt = try_commit(jobs);
  if (attempt.code == SQLITE_OK) {
    outage_.answered();
    batch_sizes_.observe(static_cast<double>(attempt.jobs));
    commit_times_.observe(std::chrono::duration<double>(clock_.now() - started).count());
    return attempt.jobs;
  }
  if (is_busy(attempt.code)) return 0;
  if (attempt.jobs <= 1) {
    // Where not even one could be tried it is not for what they ask.
    const std::size_t through = attempt.jobs == 0 ? jobs.size() : 1;
    for (Job* const job : jobs.first(through)) job->outcome = translate(attempt.code);
    return through;
  }
  // One of them does not fit, or the disk is full for the large ones: each for itself. Nothing has
  // been answered yet, and nothing of the transaction has remained.
  std::size_t through = 0;
  while (through < attempt.jobs && commit(jobs.subspan(through, 1)) == 1) ++through;
  return through;
}

// One transaction with all of them, or none: every request is judged before it writes, and a failed
// statement makes the whole transaction void. So none needs a savepoint of its own.
Writer::Attempt Writer::try_commit(std::span<Job* const> jobs) {
  const auto time_left = jobs.front()->deadline - clock_.now();
  connection_.set_patience(
      std::clamp(std::chrono::ceil<milliseconds>(time_left), milliseconds(1), kBusyWait));
  Attempt attempt;
  attempt.code = connection_.run("BEGIN IMMEDIATE");
  if (attempt.code == SQLITE_OK) attempt.code = table_.begin();
  while (attempt.code == SQLITE_OK && attempt.jobs < jobs.size() &&
         table_.written_bytes() < kBatchBytes) {
    perform(*jobs[attempt.jobs], attempt);
  }
  crash_point(CrashPoint::sqlite_written);
  if (attempt.code == SQLITE_OK) attempt.code = connection_.run("COMMIT");
  crash_point(CrashPoint::sqlite_committed);
  if (attempt.code == SQLITE_OK) return attempt;
  attempt.code = connection_.with_cause(attempt.code);
  const bool is_theirs = translate(attempt.code).kind() == ErrorKind::invalid;
  if (!is_theirs) outage_.failed(connection_.message());
  if (connection_.is_in_transaction()) connection_.run("ROLLBACK");
  table_.forget_sizes();
  return attempt;
}

void Writer::perform(Job& job, Attempt& attempt) {
  ++attempt.jobs;
  try {
    Table::Outcome outcome = job.change(table_);
    job.outcome = std::move(outcome.status);
    attempt.code = outcome.code;
  } catch (const std::exception&) {
    // Of the mutation: everything else is done with before the row is written.
    job.outcome = Error(ErrorKind::internal, "", "The request could not be carried out");
  }
}

void Writer::tend_journal() {
  const int pages = connection_.journal_pages();
  const bool has_started_over = pages < std::exchange(journal_pages_, pages);
  if (has_started_over) {
    next_move_ = kPagesToMove;
    next_end_ = kPagesToEnd;
  }
  if (pages >= next_move_) {
    next_move_ = pages + kPagesToMove;
    checkpointer_.ask();
  }
  if (pages >= next_end_) {
    next_end_ = pages + kPagesToMove;
    connection_.move_journal();  // the checkpointer reports trouble
  }
}

}  // namespace flowstore::context::sqlite
