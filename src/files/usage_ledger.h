// UsageLedger: how many bytes each project holds, without walking it on every write.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "base/turns.h"
#include "files/file_store.h"
#include "metrics/registry.h"

namespace flowstore::files {

struct LedgerOptions {
  LedgerOptions() = default;

  // A count older than this is checked in the background when it is next used: the most that a
  // change by another process can stay unseen.
  std::chrono::seconds max_age{60};
  // Projects remembered; beyond it idle ones are forgotten and counted again when asked for.
  std::size_t max_projects = 100'000;
};

// Counts a project once and then keeps the number by the differences that its changes announce.
// Exact as long as only this process changes the project and its changes succeed. What others
// change, or a change that failed half-way, is seen by the next count that none of our own changes
// overlaps: a project that never rests for as long as a walk over it takes waits for that. Safe to
// use from any thread.
class UsageLedger {
 private:
  struct Account;

 public:
  // A change to a project on its way. Room for it is kept until it is committed or dropped. Whoever
  // holds one must not ask the ledger about that project: a first count waits for the change.
  class Change {
   public:
    Change(Change&&) noexcept = default;
    Change& operator=(Change&&) = delete;
    ~Change();

    // The change has been made: the project grew by this many bytes. Once.
    void commit(std::int64_t difference) noexcept;

   private:
    friend class UsageLedger;
    Change(std::shared_ptr<Account> account, std::uint64_t kept)
        : account_(std::move(account)), kept_(kept) {}

    std::shared_ptr<Account> account_;  // none after commit or a move
    std::uint64_t kept_;
  };

  // The store, clock and registry must outlive the ledger, and the ledger what runs on
  // `background`: stop that first. Recounts run there, so an executor that serves requests would
  // make them wait where the store does not.
  UsageLedger(FileStore& store, const Clock& clock, metrics::Registry& registry,
              Executor background, LedgerOptions options = LedgerOptions());
  ~UsageLedger();

  // Bytes of the project. Walks it the first time.
  Task<Result<std::uint64_t>> used(const ProjectKey& project);

  // Announces a change of `difference` bytes. With a quota: over_quota if the project would reach
  // it, counting what other changes keep room for. A change that makes the project smaller is never
  // refused, also when the quota is exceeded already. Without a quota nothing is walked.
  Task<Result<Change>> announce(const ProjectKey& project, std::int64_t difference,
                                std::optional<std::uint64_t> quota);

 private:
  // A few locks for many projects; none is held across a wait.
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<Account>> accounts;  // guarded by mutex
  };

  // Holds back new changes to the project as long as it lives.
  class FirstCount {
   public:
    explicit FirstCount(Account& account);
    FirstCount(const FirstCount&) = delete;
    FirstCount& operator=(const FirstCount&) = delete;
    ~FirstCount();

   private:
    Account& account_;
  };

  std::shared_ptr<Account> account_of(const ProjectKey& project);
  // Drops one account that nobody uses.
  static void make_room(Shard& shard);
  Task<Result<std::uint64_t>> used_of(const ProjectKey& project,
                                      const std::shared_ptr<Account>& account);
  Task<Result<std::uint64_t>> count_first(const ProjectKey& project, Account& account);
  static Result<Change> begin_change(const std::shared_ptr<Account>& account,
                                     std::int64_t difference, std::optional<std::uint64_t> quota);
  void recount_if_old(const ProjectKey& project, const std::shared_ptr<Account>& account);
  Task<> recount(ProjectKey project, std::shared_ptr<Account> account);

  FileStore& store_;
  const Clock& clock_;
  metrics::Counter& scans_;
  Executor background_;
  LedgerOptions options_;
  Turns first_counts_;
  std::array<Shard, 32> shards_;
};

}  // namespace flowstore::files
