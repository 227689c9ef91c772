// PostgresLocks: a lock per stored file that all processes keep to.

#pragma once

#include <string>

#include "files/key_locks.h"
#include "files/shared/engine.h"

namespace flowstore::files::shared {

class PostgresLocks final : public KeyLocks {
 public:
  // The engine must outlive it and every lock.
  explicit PostgresLocks(Engine& engine) : engine_(engine) {}

  Task<Result<std::unique_ptr<Lock>>> take(const FileKey& key) override;

 private:
  class Held;

  Engine& engine_;
};

}  // namespace flowstore::files::shared
