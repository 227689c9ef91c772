// Everything on the writer's own thread blocks: for the disk, and for other processes.

#include "context/sqlite/writer.h"

#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sqlite3.h>

#include "context/sqlite/schema.h"
#include "context/sqlite/trouble.h"

namespace flowstore::context::sqlite {
namespace {

// One transaction: enough requests to share one fsync well (64 give 62 to 70 % of the rate without
// any), little enough that the first does not wait long for the last.
constexpr std::size_t kBatchJobs = 64;
constexpr std::size_t kBatchBytes = std::size_t{2} << 20U;

// What may wait: about two seconds of a slow disk, and no more memory than this.
constexpr std::size_t kMostQueued = 4096;
constexpr std::size_t kMostQueuedBytes = std::size_t{128} << 20U;

const std::vector<double>& batch_bounds() {
  static const std::vector<double> bounds = {1, 2, 4, 8, 16, 32, 64};
  return bounds;
}
const std::vector<double>& time_bounds() {
  static const std::vector<double> bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                             0.05,   0.1,   0.25,   0.5,   1,    2.5};
  return bounds;
}

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
      table_(connection_, clock) {}

Writer::~Writer() { stop(); }

void Writer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  // Leaves one file behind, without a journal, where nobody else has it open.
  connection_.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

Status Writer::start() {
  FLOWSTORE_TRY_STATUS(open_for_writing(connection_, options_));
  if (table_.prepare() != SQLITE_OK) {
    return Error(ErrorKind::internal, "context",
                 "context.options.storage " + options_.file + ": " + connection_.message() +
                     "; is this the context database of flowstore or the FlowFuse file server?");
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

Task<Status> Writer::write(const Caller& caller, std::size_t bytes, Change change) {
  Job job(caller, bytes, std::move(change));
  job.deadline = clock_.now() + options_.patience;
  auto initiate = [this, &job](auto handler) {
    auto loop = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                    boost::asio::execution::outstanding_work.tracked);
    // std::function wants to copy; the handler only moves.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    job.resume = [shared, loop = std::move(loop)] { boost::asio::post(loop, std::move(*shared)); };
    if (enqueue(job)) return;
    job.outcome = busy();
    job.resume();
  };
  const boost::asio::use_awaitable_t<> token;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      std::move(initiate), token);
  co_return std::move(job.outcome);
}

bool Writer::enqueue(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    const bool is_full = queue_.size() >= kMostQueued ||
                         (!queue_.empty() && queued_bytes_ + job.bytes > kMostQueuedBytes);
    if (is_full || is_stopping_) return false;
    queue_.push_back(&job);
    queued_bytes_ += job.bytes;
    queue_length_.set(static_cast<std::int64_t>(queue_.size()));
  }
  wake_.notify_one();
  return true;
}

void Writer::run() {
  Batch batch;
  while (take(batch)) {
    commit(batch);
    // After the last line about a job: its frame may be gone as soon as it is resumed.
    for (Job* const job : batch) std::exchange(job->resume, nullptr)();
  }
}

// Waits for work and takes what fits into one transaction; false when there is none and will be
// none.
bool Writer::take(Batch& batch) {
  batch.clear();
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !queue_.empty() || is_stopping_; });
  std::size_t bytes = 0;
  while (!queue_.empty() && batch.size() < kBatchJobs) {
    Job* const job = queue_.front();
    if (!batch.empty() && bytes + job->bytes > kBatchBytes) break;
    queue_.pop_front();
    bytes += job->bytes;
    queued_bytes_ -= job->bytes;
    batch.push_back(job);
  }
  queue_length_.set(static_cast<std::int64_t>(queue_.size()));
  return !batch.empty();
}

void Writer::commit(const Batch& batch) {
  const auto started = clock_.now();
  const Code code = try_commit(batch);
  const bool is_busy = (code & 0xFF) == SQLITE_BUSY;  // then it is for all of them
  if (code != SQLITE_OK && batch.size() > 1 && !is_busy) {
    // One of them does not fit, or the disk is full for the large ones: each for itself. Nothing
    // has been answered yet, and nothing of the transaction has remained.
    for (Job* const job : batch) commit({job});
    return;
  }
  if (code != SQLITE_OK) return give_up(batch, code);
  outage_.answered();
  batch_sizes_.observe(static_cast<double>(batch.size()));
  commit_times_.observe(std::chrono::duration<double>(clock_.now() - started).count());
}

// One transaction with all of them, or none: every request is judged before it writes, and a failed
// statement makes the whole transaction void. So none needs a savepoint of its own.
Code Writer::try_commit(const Batch& batch) {
  Code code = connection_.run("BEGIN IMMEDIATE");
  if (code != SQLITE_OK) return code;
  code = table_.begin();
  for (auto job = batch.begin(); job != batch.end() && code == SQLITE_OK; ++job) {
    Table::Outcome outcome = perform(**job);
    (*job)->outcome = std::move(outcome.status);
    code = outcome.code;
  }
  if (code == SQLITE_OK) code = connection_.run("COMMIT");
  if (code == SQLITE_OK) return code;
  outage_.failed(connection_.message());
  if (connection_.is_in_transaction()) connection_.run("ROLLBACK");
  table_.forget_sizes();
  return code;
}

Table::Outcome Writer::perform(Job& job) {
  Table::Outcome outcome;
  if (job.caller.has_left()) {
    outcome.status = left();
  } else if (clock_.now() > job.deadline) {
    outcome.status = busy();
  } else {
    try {
      outcome = job.change(table_);
    } catch (const std::exception&) {
      outcome.status = Error(ErrorKind::internal, "", "The request could not be carried out");
    }
  }
  return outcome;
}

void Writer::give_up(const Batch& batch, Code code) {
  for (Job* const job : batch) job->outcome = translate(code);
}

}  // namespace flowstore::context::sqlite
