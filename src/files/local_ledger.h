// LocalLedger: the usage of projects that only this process changes.

#pragma once

#include <array>
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
#include "files/usage_ledger.h"
#include "metrics/registry.h"

namespace flowstore::files {

// Counts a project once and then keeps the number by the differences that its changes announce.
// Exact as long as only this process changes the project and its changes succeed. What others
// change, or a change that failed half-way, is seen by the next count that none of our own changes
// overlaps: a project that never rests for as long as a walk over it takes waits for that. Safe to
// use from any thread.
class LocalLedger final : public UsageLedger {
 public:
  // The store, clock and registry must outlive the ledger, and the ledger what runs on
  // `background`: stop that first. Recounts run there, so an executor that serves requests would
  // make them wait where the store does not.
  LocalLedger(FileStore& store, const Clock& clock, metrics::Registry& registry,
              Executor background, LedgerOptions options = LedgerOptions());
  ~LocalLedger() override;

  Task<Result<std::uint64_t>> used(const ProjectKey& project) override;
  Task<Result<std::unique_ptr<Change>>> announce(const ProjectKey& project, std::int64_t difference,
                                                 std::optional<std::uint64_t> quota) override;

 private:
  struct Account;
  class LocalChange;

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
  static Result<std::unique_ptr<Change>> begin_change(const std::shared_ptr<Account>& account,
                                                      std::int64_t difference,
                                                      std::optional<std::uint64_t> quota);
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
