// Everything on the log's own thread blocks: for the disk.

#include "files/localfs/wal.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/offload.h"
#include "files/localfs/wal_volume.h"

namespace flowstore::files::localfs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One frame: so many bytes that a disk is busy with them for some milliseconds, no more.
constexpr std::size_t kMostOfFrame = std::size_t{4} << 20U;

constexpr milliseconds kLookForGuests{50};
constexpr milliseconds kPause{1000};  // between two tries that nobody asks for

// Without changes for so long the log is emptied, so that a start has nothing to do.
constexpr seconds kRestAfter{2};
// How long we go without a log once another flowstore has come, or the disk had no room.
constexpr seconds kNextTry{5};
constexpr seconds kPatienceWithOthers{30};
// A try to heal that each write may make.
constexpr milliseconds kCheapTry{50};

std::vector<double> batch_bounds() { return {1, 2, 4, 8, 16, 32, 64, 128, 256}; }
std::vector<double> time_bounds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5};
}

Error cannot_open(int error) {
  const std::string reason = error == ETIMEDOUT
                                 ? "another flowstore works on it and does not answer"
                                 : std::generic_category().message(error);
  return Error(
      ErrorKind::unavailable, "ESTORE",
      "driver.options.root: cannot use .flowstore/wal: " + reason +
          "; let the user that runs flowstore write there, and one process at a time start");
}

// Resumes whoever waits for the change, which is gone afterwards.
void answer(LoggedChange& change, bool is_made, int error) {
  change.is_made = is_made;
  if (error != 0) change.error = error;
  std::exchange(change.resume, nullptr)();
}

template <class Batch>
void answer_all(Batch& batch, bool is_made, int error = 0) {
  for (LoggedChange* const change : batch) answer(*change, is_made, error);
  batch.clear();
}

}  // namespace

WriteAheadLog::WriteAheadLog(const Disk& disk, FileVersions& versions, const Clock& clock, Log& log,
                             metrics::Registry& registry)
    : disk_(disk.logged()),
      versions_(versions),
      clock_(clock),
      outage_(clock, log,
              "the write-ahead log cannot be written, so no write of a file is answered; check the "
              "disk",
              "the write-ahead log can be written again"),
      batch_sizes_(registry.histogram("flowstore_storage_log_batch_size",
                                      "Changes of files in one frame of the write-ahead log.",
                                      batch_bounds())),
      commit_times_(registry.histogram(
          "flowstore_storage_log_commit_duration_seconds",
          "Time to write and sync one frame of the write-ahead log and to make its changes.",
          time_bounds())),
      files_(disk_, registry, [this](int error) { synced(error); }) {}

Result<std::unique_ptr<WriteAheadLog>> WriteAheadLog::open(const Disk& disk, FileVersions& versions,
                                                           const Clock& clock, Log& log,
                                                           metrics::Registry& registry) {
  std::unique_ptr<WriteAheadLog> opened;
  if (!can_keep_a_log(disk.root().root())) return opened;
  opened.reset(new WriteAheadLog(disk, versions, clock, log, registry));
  FLOWSTORE_TRY_STATUS(opened->recover(log));
  if (opened->root_lock_.hold() == RootLock::Hold::none) return std::unique_ptr<WriteAheadLog>();
  WriteAheadLog& self = *opened;
  self.thread_ = std::thread([&self] { self.run(); });
  return opened;
}

void WriteAheadLog::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

// Two processes that start at once, beside a third that dies, share the root and find the same log:
// whoever is first empties it.
Status WriteAheadLog::recover(Log& log) {
  constexpr const char* kName = ".flowstore/wal";
  const int root = disk_.root().root();
  if (::mkdirat(root, kName, 0777) != 0 && errno != EEXIST) return cannot_open(errno);
  folder_ = FileDescriptor(::openat(root, kName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder_) return cannot_open(errno);
  if (const int error = root_lock_.take(folder_.get(), kPatienceWithOthers)) {
    return cannot_open(error);
  }
  if (::flock(folder_.get(), LOCK_EX) != 0) return cannot_open(errno);
  const auto recovered = files_.recover(folder_.get());
  ::flock(folder_.get(), LOCK_UN);
  if (!recovered) return recovered.error();
  root_lock_.share();
  if (recovered->changes + recovered->skipped > 0) {
    LogFields fields;
    fields.number("changes", static_cast<std::int64_t>(recovered->changes))
        .number("skipped", static_cast<std::int64_t>(recovered->skipped));
    log.warn("the machine stopped in the midst of work; changes of files were made again", fields);
  }
  if (recovered->taken_back > 0)
    log.warn("an append that a kill had torn could not be completed and was taken back");
  return {};
}

Task<bool> WriteAheadLog::make(LoggedChange& change) {
  co_await submit(change);
  co_return change.is_made;
}

Task<int> WriteAheadLog::forget(const std::string& path) {
  LoggedChange change(WalOperation::forget, path, std::string_view());
  co_await submit(change);
  if (change.error == 0) unlogged_.forget(path);
  co_return change.error;
}

Task<int> WriteAheadLog::settle(const std::string& folder) {
  LoggedChange change(WalOperation::settle, folder, std::string_view());
  co_await submit(change);
  if (change.error == 0) unlogged_.forget(folder);
  co_return change.error;
}

Task<> WriteAheadLog::submit(LoggedChange& change) {
  const OffloadedWork work;
  auto begin = [this, &change](Resume resume) {
    change.resume = std::move(resume);
    if (!enqueue(change)) answer(change, false, 0);
  };
  co_await suspend(std::move(begin));
}

// False if there is no log for it. What only matters to a log that holds something is not queued
// for an empty one: nobody else changes the same path meanwhile.
bool WriteAheadLog::enqueue(LoggedChange& change) {
  const bool needs_content =
      change.operation == WalOperation::forget || change.operation == WalOperation::settle;
  bool is_queued = false;
  bool is_news = false;  // for the log's thread
  {
    const std::lock_guard lock(mutex_);
    const bool is_empty = state_ == State::unmade || state_ == State::resting;
    if (is_stopping_ || (needs_content && is_empty)) return false;
    if (state_ == State::unmade) {
      is_news = !std::exchange(is_wanted_, true);
    } else {
      is_news = queue_.empty();
      queue_.push_back(&change);
      is_queued = true;
    }
  }
  if (is_news) wake_.notify_one();
  return is_queued;
}

// ---- the log's thread
void WriteAheadLog::run() {
  Batch batch;
  while (take(batch)) {
    perform(batch);
    tend();
  }
  if (const int error = files_.settle()) fail(error);
}

// Takes what fits into one frame, or nothing when something else is to be done; false when nothing
// will come any more.
bool WriteAheadLog::take(Batch& batch) {
  std::unique_lock lock(mutex_);
  const bool is_making = state_ == State::unmade && is_wanted_;
  const auto ready = [this] { return !queue_.empty() || is_stopping_ || has_to_make_files(); };
  if (state_ == State::resting || (state_ == State::unmade && !is_making)) {
    wake_.wait(lock, ready);
  } else {
    wake_.wait_for(lock, state_ == State::active ? kLookForGuests : kPause, ready);
  }
  // Where the loops want this core, they have more changes: a sync costs the same for all of them.
  lock.unlock();
  std::this_thread::yield();
  lock.lock();
  const std::size_t most = std::min(kMostOfFrame, files_.most_bytes());
  std::size_t bytes = 0;
  auto end = queue_.begin();
  for (; end != queue_.end(); ++end) {
    bytes += WalFrame::size_of((*end)->record());
    if (bytes > most && end != queue_.begin()) break;
  }
  batch.assign(queue_.begin(), end);
  queue_.erase(queue_.begin(), end);
  return !(batch.empty() && is_stopping_);
}

bool WriteAheadLog::has_to_make_files() const {
  return state_ == State::unmade && is_wanted_ && clock_.now() >= next_try_;
}

void WriteAheadLog::perform(Batch& batch) {
  if (batch.empty()) return;
  if (state_ == State::resting && !wake_up()) return answer_all(batch, false);
  if (state_ == State::broken && clock_.now() >= next_try_) heal();
  if (state_ == State::broken) return answer_all(batch, true, error_);
  const auto asking = std::stable_partition(batch.begin(), batch.end(), [](const auto* change) {
    return change->operation != WalOperation::settle;
  });
  Batch settling(asking, batch.end());
  batch.erase(asking, batch.end());
  if (!batch.empty()) commit(batch);
  if (!settling.empty()) settle(settling);
}

// False if the root is not ours alone.
bool WriteAheadLog::wake_up() {
  const auto now = clock_.now();
  if (now < next_try_) return false;
  if (!root_lock_.try_alone()) {
    next_try_ = now + kNextTry;
    return false;
  }
  last_change_ = now;
  set_state(State::active);
  return true;
}

void WriteAheadLog::commit(Batch& batch) {
  const auto begun = clock_.now();
  for (LoggedChange* const change : batch) {
    // No two changes share a time: entity tags are made of it.
    last_modified_.nanoseconds =
        std::max(ModifiedTime::now().nanoseconds, last_modified_.nanoseconds + 1);
    change->modified = last_modified_;
  }
  if (const int error = write_frame(batch)) {
    fail(error);
    return answer_all(batch, true, error);
  }
  for (LoggedChange* const change : batch) {
    localfs::make(disk_, versions_, *change);
    crash_point(CrashPoint::log_applied);
  }
  cancel_failed(batch);
  last_change_ = clock_.now();
  batch_sizes_.observe(static_cast<double>(batch.size()));
  commit_times_.observe(std::chrono::duration<double>(last_change_ - begun).count());
  answer_all(batch, true);
}

int WriteAheadLog::write_frame(const Batch& batch) {
  frame_.begin();
  for (LoggedChange* const change : batch) {
    change->sequence = next_sequence_ + static_cast<std::uint64_t>(frame_.records());
    frame_.add(change->record());
  }
  return add_frame();
}

int WriteAheadLog::add_frame() {
  if (const int error = files_.make_room(frame_.size())) return error;
  const std::string_view bytes = frame_.finish(files_.next(), next_sequence_);
  next_sequence_ += frame_.records();
  return files_.add(bytes);
}

// A change that could not be made, for want of space say, is none, whatever the log says before.
void WriteAheadLog::cancel_failed(const Batch& batch) {
  frame_.begin();
  for (const LoggedChange* const change : batch) {
    WalRecord record;
    record.operation = WalOperation::cancel;
    record.position = change->sequence;
    if (change->error != 0) frame_.add(record);
  }
  if (frame_.records() == 0) return;
  if (const int error = add_frame()) fail(error);
}

void WriteAheadLog::settle(Batch& asking) {
  int error = files_.wait_for_other();
  if (error == 0 && files_.is_current_empty()) return answer_all(asking, true);
  if (error == 0) {
    const std::lock_guard lock(mutex_);
    settling_.swap(asking);
  }
  if (error == 0) error = files_.turn_over();
  if (error != 0) fail(error);
  answer_all(asking, true, error);
}

// On the thread that syncs.
void WriteAheadLog::synced(int error) {
  Batch done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(settling_);
  }
  answer_all(done, true, error);
}

// What is due without anybody asking.
void WriteAheadLog::tend() {
  if (is_asked_for_files()) make_files();
  const auto now = clock_.now();
  if (state_ == State::broken && now >= next_try_) heal();
  if (state_ != State::active) return;
  if (const int error = files_.failure()) return fail(error);
  if (now >= last_change_ + kRestAfter) return rest(now);
  if (now < next_look_) return;
  next_look_ = now + kLookForGuests;
  if (root_lock_.has_guests()) rest(now + kNextTry);
}

bool WriteAheadLog::is_asked_for_files() {
  const std::lock_guard lock(mutex_);
  return has_to_make_files();
}

// Only while nobody else is there: the files may be those of one who rests and goes on with them.
void WriteAheadLog::make_files() {
  const bool are_made = root_lock_.try_alone() && files_.fill() == 0 &&
                        sync_log_names(folder_.get(), disk_.root().root()) == 0;
  root_lock_.share();
  if (are_made) return set_state(State::resting);
  next_try_ = clock_.now() + kNextTry;
}

// Empties the log and lets others work on the root; it stays empty until `next`.
void WriteAheadLog::rest(Clock::Instant next) {
  if (const int error = files_.settle()) return fail(error);
  next_try_ = next;
  set_state(State::resting);
  root_lock_.share();
}

// What it costs depends on the disk and on the length of the log: we spend a tenth of the time on
// it.
void WriteAheadLog::heal() {
  const UnloggedChanges::Pause pause(unlogged_);
  const auto begun = clock_.now();
  const auto is_newer = [this](auto path) { return unlogged_.has(disk_.root(), path); };
  const int error = files_.heal(is_newer);
  const auto ended = clock_.now();
  if (error != 0) {
    fail(error);
    if (ended - begun > kCheapTry) next_try_ = ended + 10 * (ended - begun);
    return;
  }
  unlogged_.forget_all();
  outage_.answered();
  last_change_ = ended;
  set_state(State::active);
}

void WriteAheadLog::fail(int error) {
  // What cannot be told now, heal() tells before anything else.
  static_cast<void>(files_.distrust());
  error_ = error;
  outage_.failed(std::generic_category().message(error));
  next_try_ = clock_.now();
  set_state(State::broken);
}

void WriteAheadLog::set_state(State state) {
  const std::lock_guard lock(mutex_);
  state_ = state;
}

}  // namespace flowstore::files::localfs
