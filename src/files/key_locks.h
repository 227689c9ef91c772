// KeyLocks: one at a time per stored file, across processes.

#pragma once

#include <chrono>
#include <memory>

#include "base/result.h"
#include "base/task.h"
#include "files/file_key.h"

namespace flowstore::files {

// How long a lock lasts: longer than any change under one, and after a process has died nobody
// waits longer.
inline constexpr std::chrono::seconds kLockTime{20};

// For stores that cannot make a change conditional. Safe to use from any thread.
class KeyLocks {
 public:
  // Given back when it dies, on any thread. It is over after kLockTime, whoever
  // still holds it.
  class Lock {
   public:
    virtual ~Lock() = default;
  };

  virtual ~KeyLocks() = default;

  // Waits until nobody else holds the file. unavailable if that takes too long for a client, or if
  // whoever keeps the locks cannot be asked.
  virtual Task<Result<std::unique_ptr<Lock>>> take(const FileKey& key) = 0;
};

}  // namespace flowstore::files
