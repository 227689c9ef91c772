// SharedState: what processes over one bucket must know of each other.

#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "files/file_store.h"
#include "files/shared/engine.h"
#include "files/shared/postgres_ledger.h"
#include "files/shared/postgres_locks.h"
#include "metrics/registry.h"
#include "postgres/options.h"

namespace flowstore::files::shared {

// The database connections behind locks and ledger.
class SharedState {
 public:
  // Begins to connect and returns: a database that is down is tried again and again. An Error only
  // for options that cannot work. Only processes that name the same bucket meet, so one database
  // may serve several. References must outlive it, and so must what runs on `background`.
  static Result<std::unique_ptr<SharedState>> make(const postgres::Options& options,
                                                   std::string bucket, const Executor& background,
                                                   const Clock& clock, Log& log,
                                                   metrics::Registry& registry);

  SharedState(const postgres::Options& options, postgres::Tls tls, std::string bucket,
              const Executor& background, const Clock& clock, Log& log, metrics::Registry& registry)
      : engine_(options, std::move(tls), background, clock, log, registry),
        bucket_(std::move(bucket)),
        locks_(engine_, bucket_) {}

  KeyLocks& locks() noexcept { return locks_; }
  // For the store that the projects' files are in.
  std::unique_ptr<UsageLedger> ledger(FileStore& store, metrics::Registry& registry,
                                      LedgerOptions options = LedgerOptions()) {
    return std::make_unique<PostgresLedger>(engine_, bucket_, store, registry, options);
  }

  // Whatever is asked from now on fails.
  void stop() { engine_.stop(); }

 private:
  Engine engine_;
  const std::string bucket_;
  PostgresLocks locks_;
};

}  // namespace flowstore::files::shared
