// PostgresLocks: a lock per stored file that all processes keep to.

#pragma once

#include <string>
#include <utility>

#include "files/key_locks.h"
#include "files/shared/engine.h"

namespace flowstore::files::shared {

class PostgresLocks final : public KeyLocks {
 public:
  // The engine must outlive it and every lock.
  PostgresLocks(Engine& engine, std::string bucket) : engine_(engine), bucket_(std::move(bucket)) {}

  Task<Result<std::unique_ptr<Lock>>> take(const FileKey& key) override;

 private:
  class Held;

  Engine& engine_;
  const std::string bucket_;
};

}  // namespace flowstore::files::shared
