#include "files/local_ledger.h"

#include <algorithm>
#include <utility>

#include "base/suspend.h"

namespace flowstore::files {

// What is known of one project.
struct LocalLedger::Account {
  std::mutex mutex;
  // All below is guarded by mutex.
  std::optional<std::uint64_t> used;  // never forgotten again
  std::uint64_t kept = 0;             // bytes that announced changes may still add
  std::uint32_t changing = 0;         // changes between announce and commit
  std::uint64_t changes = 0;          // counts every beginning and end of one
  bool is_counting_first = false;     // no change begins meanwhile
  Resume on_still;                    // resumes the first count when nothing is changing any more
  bool is_recounting = false;
  bool is_doubted = false;      // a change has failed in a way that leaves open what it did
  Clock::Instant recount_at{};  // from then on the count is checked when it is used

  std::optional<std::uint64_t> known() {
    const std::lock_guard lock(mutex);
    return used;
  }

  // A change is over; `difference` is what it did.
  void end_change(std::uint64_t kept_for_it, std::int64_t difference) noexcept;

  // Whoever uses the count next has it checked.
  void make_recount_due() {
    const std::lock_guard lock(mutex);
    is_doubted = true;
    recount_at = Clock::Instant::min();
  }

  // Waits, suspended, for the changes that have begun. For the first count only.
  Task<> until_still();
};

void LocalLedger::Account::end_change(std::uint64_t kept_for_it, std::int64_t difference) noexcept {
  Resume resume;
  {
    const std::lock_guard lock(mutex);
    if (used) {
      // Another process may have removed what we still count; below zero there is nothing.
      const auto now = static_cast<std::int64_t>(*used) + difference;
      used = static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0));
    }
    kept -= kept_for_it;
    --changing;
    ++changes;
    if (changing == 0) resume = std::exchange(on_still, nullptr);
  }
  if (resume) resume();
}

Task<> LocalLedger::Account::until_still() {
  // Released before the task is suspended; see Turns::take, which waits in the same way.
  std::unique_lock lock(mutex);
  if (changing == 0) co_return;
  auto begin = [this, &lock](Resume resume) {
    on_still = std::move(resume);
    lock.unlock();
  };
  co_await suspend(std::move(begin));
}

class LocalLedger::LocalChange final : public Change {
 public:
  LocalChange(std::shared_ptr<Account> account, std::uint64_t kept)
      : account_(std::move(account)), kept_(kept) {}
  LocalChange(const LocalChange&) = delete;
  LocalChange& operator=(const LocalChange&) = delete;
  ~LocalChange() override {
    if (account_) account_->end_change(kept_, 0);
  }

  Task<> commit(std::int64_t difference) override {
    account_->end_change(kept_, difference);
    account_.reset();
    co_return;
  }

  Task<> doubt() override {
    account_->end_change(kept_, static_cast<std::int64_t>(kept_));
    account_->make_recount_due();
    account_.reset();
    co_return;
  }

 private:
  std::shared_ptr<Account> account_;  // none when the change has ended
  std::uint64_t kept_;
};

LocalLedger::LocalLedger(FileStore& store, const Clock& clock, metrics::Registry& registry,
                         Executor background, LedgerOptions options)
    : store_(store),
      clock_(clock),
      scans_(registry.counter("flowstore_quota_scans_total",
                              "Walks over a project to count its bytes.")),
      background_(std::move(background)),
      options_(options) {}

LocalLedger::~LocalLedger() = default;

std::shared_ptr<LocalLedger::Account> LocalLedger::account_of(const ProjectKey& project) {
  Shard& shard = shards_[std::hash<std::string>()(project.path()) % shards_.size()];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.accounts.find(project.path());
  if (found != shard.accounts.end()) return found->second;
  if (shard.accounts.size() >= options_.max_projects / shards_.size() + 1) make_room(shard);
  auto account = std::make_shared<Account>();
  shard.accounts.emplace(project.path(), account);
  return account;
}

void LocalLedger::make_room(Shard& shard) {
  // A change or a count holds a reference, and takes it under the shard's lock.
  const auto idle = std::find_if(shard.accounts.begin(), shard.accounts.end(),
                                 [](const auto& entry) { return entry.second.use_count() == 1; });
  if (idle != shard.accounts.end()) shard.accounts.erase(idle);
}

Task<Result<std::uint64_t>> LocalLedger::used(const ProjectKey& project) {
  const auto account = account_of(project);
  co_return co_await used_of(project, account);
}

Task<Result<std::uint64_t>> LocalLedger::used_of(const ProjectKey& project,
                                                 const std::shared_ptr<Account>& account) {
  const auto known = account->known();
  if (!known) co_return co_await count_first(project, *account);
  recount_if_old(project, account);
  co_return *known;
}

Task<Result<std::unique_ptr<UsageLedger::Change>>> LocalLedger::announce(
    const ProjectKey& project, std::int64_t difference, std::optional<std::uint64_t> quota) {
  const auto account = account_of(project);
  if (quota) FLOWSTORE_CO_TRY_STATUS(co_await used_of(project, account));
  while (true) {
    {
      const std::lock_guard lock(account->mutex);
      if (account->used || !account->is_counting_first) {
        co_return begin_change(account, difference, quota);
      }
    }
    // Whoever counts has the turn.
    const Turn turn = co_await first_counts_.take(project.path());
  }
}

// Called with the account's mutex held. With a quota the project has been counted.
Result<std::unique_ptr<UsageLedger::Change>> LocalLedger::begin_change(
    const std::shared_ptr<Account>& account, std::int64_t difference,
    std::optional<std::uint64_t> quota) {
  const std::uint64_t growth = difference > 0 ? static_cast<std::uint64_t>(difference) : 0;
  const bool is_judged = quota && difference >= 0;
  if (is_judged && *account->used + account->kept + growth >= *quota) {
    return Error::over_quota(*quota);
  }
  account->kept += growth;
  ++account->changing;
  ++account->changes;
  return std::unique_ptr<Change>(std::make_unique<LocalChange>(account, growth));
}

Task<Result<std::uint64_t>> LocalLedger::count_first(const ProjectKey& project, Account& account) {
  const Turn turn = co_await first_counts_.take(project.path());
  const auto known = account.known();
  if (known) co_return *known;  // whoever had the turn before counted

  // A walk that overlaps a change may or may not see it. So those that have begun end first, and
  // new ones wait until the walk is over.
  const FirstCount counting(account);
  co_await account.until_still();
  scans_.add();
  const auto counted = co_await store_.usage(project);
  if (!counted) co_return counted.error();
  const std::lock_guard lock(account.mutex);
  account.used = *counted;
  account.recount_at = clock_.now() + options_.max_age;
  co_return *counted;
}

LocalLedger::FirstCount::FirstCount(Account& account) : account_(account) {
  const std::lock_guard lock(account_.mutex);
  account_.is_counting_first = true;
}

LocalLedger::FirstCount::~FirstCount() {
  const std::lock_guard lock(account_.mutex);
  account_.is_counting_first = false;
}

void LocalLedger::recount_if_old(const ProjectKey& project,
                                 const std::shared_ptr<Account>& account) {
  {
    const std::lock_guard lock(account->mutex);
    if (account->is_recounting || clock_.now() < account->recount_at) return;
    account->is_recounting = true;
  }
  // Not under the lock: on an executor of this very thread the task begins at once.
  spawn(background_, "recount", recount(project, account));
}

Task<> LocalLedger::recount(ProjectKey project, std::shared_ptr<Account> account) {
  std::uint64_t changes = 0;
  {
    const std::lock_guard lock(account->mutex);
    changes = account->changes;
  }
  scans_.add();
  const auto counted = co_await store_.usage(project);
  const std::lock_guard lock(account->mutex);
  account->is_recounting = false;
  // A count that a change of ours overlapped is worth less than the differences. It is tried again
  // soon, but not at once: a project that never rests is not to be walked all the time. What is
  // counted too high after a failure keeps nobody out for long.
  const bool is_good = counted && account->changing == 0 && account->changes == changes;
  if (is_good) account->used = *counted;
  const auto soon = account->is_doubted ? options_.max_age / 60 : options_.max_age / 6;
  account->recount_at = clock_.now() + (is_good ? options_.max_age : soon);
  if (is_good) account->is_doubted = false;
}

}  // namespace flowstore::files
