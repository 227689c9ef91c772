// The SQLite driver: one file, one writer with group commit, readers beside it.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "context/context_store.h"
#include "metrics/registry.h"

namespace flowstore::context::sqlite {

enum class Journal : std::uint8_t {
  wal,       // readers and the writer never wait for each other; needs a local file system
  rollback,  // "delete": for volumes without shared memory (NFS)
};

struct Options {
  std::string file;  // absolute; its folders are made
  Journal journal = Journal::wal;
  // How long a write waits for another process that holds the file, and for its turn.
  std::chrono::milliseconds patience{2500};
};

// Opens the file, makes the table where there is none, and starts the writer's thread. The error is
// one sentence that says what to do. References must outlive the store; reads run on `io`, which is
// joined before the store dies.
Result<std::unique_ptr<ContextStore>> make_store(Options options, BlockingPool& io,
                                                 const Clock& clock, Log& log,
                                                 metrics::Registry& registry);

}  // namespace flowstore::context::sqlite
