// UsageLedger: how many bytes each project holds, without walking it on every write.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "base/task.h"
#include "files/file_key.h"

namespace flowstore::files {

struct LedgerOptions {
  LedgerOptions() = default;

  // A count older than this is checked in the background when it is next used: the most that a
  // change by somebody who does not use this ledger can stay unseen.
  std::chrono::seconds max_age{60};
  // Projects remembered in this process; beyond it idle ones are forgotten and counted again when
  // asked for.
  std::size_t max_projects = 100'000;
};

// Safe to use from any thread.
class UsageLedger {
 public:
  // A change to a project on its way. Room for it is kept until it has ended, in one of three ways.
  // Whoever holds one must not ask the ledger about that project: a first count waits for the
  // change.
  class Change {
   public:
    // Dropped: the change was not made.
    virtual ~Change() = default;

    // The change has been made: the project grew by this many bytes. Nothing else may be called
    // afterwards.
    virtual Task<> commit(std::int64_t difference) = 0;

    // Nobody knows whether the change was made, or by how much the project grew. Counted as if it
    // had grown by what was announced, until the next count, which is due at once. Nothing else may
    // be called afterwards.
    virtual Task<> doubt() = 0;
  };

  virtual ~UsageLedger() = default;

  // Bytes of the project. Walks it the first time.
  virtual Task<Result<std::uint64_t>> used(const ProjectKey& project) = 0;

  // Announces a change of `difference` bytes. With a quota: over_quota if the project would reach
  // it, counting what other changes keep room for. A change that makes the project smaller is never
  // refused, also when the quota is exceeded already. Without a quota nothing is walked, and the
  // change is never refused. unavailable: nothing is known of the project, and there is a quota.
  virtual Task<Result<std::unique_ptr<Change>>> announce(const ProjectKey& project,
                                                         std::int64_t difference,
                                                         std::optional<std::uint64_t> quota) = 0;
};

}  // namespace flowstore::files
