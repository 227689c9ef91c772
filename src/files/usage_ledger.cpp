#include "files/usage_ledger.h"

#include <algorithm>
#include <utility>

namespace flowstore::files {

// What is known of one project.
struct UsageLedger::Account {
  std::mutex mutex;
  // All below is guarded by mutex.
  std::optional<std::uint64_t> used;
  std::uint64_t kept = 0;      // bytes that announced changes may still add
  std::uint32_t changing = 0;  // changes between announce and commit
  std::uint64_t changes = 0;  // counts every beginning and end of one: a walk during which it moved
                              // may have seen half of a change
  bool is_counting_first = false;
  bool is_recounting = false;
  Clock::Instant recount_at{};  // from then on the count is checked when it is used

  // A walk is worth something only if no change of ours overlapped it.
  bool is_still(std::uint64_t since) const { return changing == 0 && changes == since; }
};

UsageLedger::Change::~Change() {
  if (!account_) return;
  const std::lock_guard lock(account_->mutex);
  account_->kept -= kept_;
  --account_->changing;
  ++account_->changes;
}

void UsageLedger::Change::commit(std::int64_t difference) noexcept {
  {
    const std::lock_guard lock(account_->mutex);
    if (account_->used) {
      // Another process may have removed what we still count; below zero there is nothing.
      const auto now = static_cast<std::int64_t>(*account_->used) + difference;
      account_->used = static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0));
    }
    account_->kept -= kept_;
    --account_->changing;
    ++account_->changes;
  }
  account_.reset();
}

UsageLedger::UsageLedger(FileStore& store, const Clock& clock, metrics::Registry& registry,
                         Executor background, LedgerOptions options)
    : store_(store),
      clock_(clock),
      scans_(registry.counter("flowstore_quota_scans_total",
                              "Walks over a project to count its bytes.")),
      rejections_(registry.counter("flowstore_quota_rejections_total",
                                   "Writes refused because of a file quota.")),
      background_(std::move(background)),
      options_(options) {}

UsageLedger::~UsageLedger() = default;

std::shared_ptr<UsageLedger::Account> UsageLedger::account_of(const ProjectKey& project) {
  Shard& shard = shards_[std::hash<std::string>()(project.path()) % shards_.size()];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.accounts.find(project.path());
  if (found != shard.accounts.end()) return found->second;
  if (shard.accounts.size() >= options_.max_projects / shards_.size() + 1) make_room(shard);
  auto account = std::make_shared<Account>();
  shard.accounts.emplace(project.path(), account);
  return account;
}

void UsageLedger::make_room(Shard& shard) {
  // A change or a count holds a reference, and takes it under the shard's lock.
  const auto idle = std::find_if(shard.accounts.begin(), shard.accounts.end(),
                                 [](const auto& entry) { return entry.second.use_count() == 1; });
  if (idle != shard.accounts.end()) shard.accounts.erase(idle);
}

Task<Result<std::uint64_t>> UsageLedger::used(const ProjectKey& project) {
  const auto account = account_of(project);
  {
    const std::lock_guard lock(account->mutex);
    if (account->used) {
      recount_if_old(project, account);
      co_return *account->used;
    }
  }
  co_return co_await count_first(project, *account);
}

Task<Result<UsageLedger::Change>> UsageLedger::announce(const ProjectKey& project,
                                                        std::int64_t difference,
                                                        std::optional<std::uint64_t> quota) {
  const auto account = account_of(project);
  const std::uint64_t growth = difference > 0 ? static_cast<std::uint64_t>(difference) : 0;
  while (true) {
    {
      const std::lock_guard lock(account->mutex);
      const bool is_ready = quota ? account->used.has_value() : !account->is_counting_first;
      if (is_ready) {
        if (quota) {
          recount_if_old(project, account);
          const std::uint64_t reached = *account->used + account->kept + growth;
          if (difference >= 0 && reached >= *quota) {
            rejections_.add();
            co_return Error::over_quota(*quota);
          }
        }
        account->kept += growth;
        ++account->changing;
        ++account->changes;
        co_return Change(account, growth);
      }
    }
    // A first count waits for no new change, so that it comes to an end; the changes wait for it.
    FLOWSTORE_CO_TRY_STATUS(co_await count_first(project, *account));
  }
}

Task<Result<std::uint64_t>> UsageLedger::count_first(const ProjectKey& project, Account& account) {
  const Turn turn = co_await first_counts_.take(project.path());
  while (true) {
    std::uint64_t changes = 0;
    {
      const std::lock_guard lock(account.mutex);
      if (account.used) co_return *account.used;  // whoever had the turn before counted
      account.is_counting_first = true;
      changes = account.changes;
    }
    scans_.add();
    const auto counted = co_await store_.usage(project);
    const std::lock_guard lock(account.mutex);
    if (!counted || account.is_still(changes)) account.is_counting_first = false;
    if (!counted) co_return counted.error();
    if (!account.is_still(changes)) continue;  // changes that had begun before; they end soon
    account.used = *counted;
    account.recount_at = clock_.now() + options_.max_age;
    co_return *counted;
  }
}

// Called with the account's mutex held.
void UsageLedger::recount_if_old(const ProjectKey& project,
                                 const std::shared_ptr<Account>& account) {
  if (account->is_recounting || clock_.now() < account->recount_at) return;
  account->is_recounting = true;
  spawn(background_, "recount", recount(project, account));
}

Task<> UsageLedger::recount(ProjectKey project, std::shared_ptr<Account> account) {
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
  // soon, but not at once: a project that never rests is not to be walked all the time.
  const bool is_good = counted && account->is_still(changes);
  if (is_good) account->used = *counted;
  account->recount_at = clock_.now() + (is_good ? options_.max_age : options_.max_age / 6);
}

}  // namespace flowstore::files
