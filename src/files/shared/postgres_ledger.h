// PostgresLedger: the usage of projects that many processes change.

#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "base/log.h"
#include "files/file_store.h"
#include "files/shared/engine.h"
#include "files/usage_ledger.h"
#include "metrics/registry.h"

namespace flowstore::files::shared {

// One row per project, to which every change adds what it may grow by before it is made, and from
// which it takes off afterwards what it did not: so all processes together never exceed a quota
// that all of them know. The sum is never too low; it may be too high for a while, after a process
// was killed or a count met changes, until the next count. See
// docs/decisions/0010-shared-quota-ledger.md.
class PostgresLedger final : public UsageLedger {
 public:
  // `store` is what `bucket` names; processes over the same one count together. References must
  // outlive it.
  PostgresLedger(Engine& engine, std::string bucket, FileStore& store, metrics::Registry& registry,
                 LedgerOptions options = LedgerOptions());

  Task<Result<std::uint64_t>> used(const ProjectKey& project) override;
  // Without a quota a change that cannot be recorded goes on all the same.
  Task<Result<std::unique_ptr<Change>>> announce(const ProjectKey& project, std::int64_t difference,
                                                 std::optional<std::uint64_t> quota) override;

 private:
  class Announced;
  class Unannounced;

  // What was known when a count began.
  struct Beginning {
    std::int64_t announced = 0;
    std::int64_t changes = 0;
    std::int64_t growth_under_way = 0;
    std::int64_t under_way = 0;
  };
  struct Usage {
    std::optional<std::uint64_t> used;  // nothing: not counted
    bool is_old = false;
  };

  Task<Result<std::unique_ptr<Change>>> announce_within(const ProjectKey& project,
                                                        std::uint64_t growth, std::uint64_t quota);
  Task<Result<Usage>> look(const ProjectKey& project);
  Task<Result<std::uint64_t>> count_first(const ProjectKey& project);
  Task<Result<std::optional<Beginning>>> begin_count(const ProjectKey& project);
  Task<Result<std::uint64_t>> count(const ProjectKey& project, Beginning beginning);
  void recount(const ProjectKey& project);
  Task<> recount_now(ProjectKey project);
  // Does what nobody waits for, and remembers the project if it cannot be done.
  Task<> record(const ProjectKey& project, const postgres::Pipeline& statement);
  Task<> make_up_for_lost();
  std::string row_of(const ProjectKey& project) const { return bucket_ + "/" + project.path(); }

  Engine& engine_;
  const std::string bucket_;
  FileStore& store_;
  LedgerOptions options_;
  metrics::Counter& scans_;
  metrics::Counter& lost_;
  std::mutex mutex_;
  std::unordered_set<std::string> counting_;  // in the background; guarded by mutex_
  // Rows of changes that could not be recorded: to be counted when the database is back.
  std::unordered_set<std::string> unrecorded_;  // guarded by mutex_
};

}  // namespace flowstore::files::shared
