// Changes: who may change an object next, and whether it still is what was expected.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "base/turns.h"
#include "files/file_store.h"
#include "files/key_locks.h"
#include "files/s3/capabilities.h"
#include "files/s3/objects.h"

namespace flowstore::files::s3 {

// The right to change one object. In this process it excludes all others; in all processes too,
// where locks are kept and the store cannot make every change conditional.
struct Right {
  explicit Right(Turn held) : turn(std::move(held)) {}

  Turn turn;
  std::unique_ptr<KeyLocks::Lock> lock;  // null: nobody keeps locks, or none is needed
  Capabilities can;
};

// Safe to use from any thread.
class Changes {
 public:
  // All must outlive it. `locks` may be null.
  Changes(CapabilityProbe& probe, KeyLocks* locks) : probe_(probe), locks_(locks) {}

  Task<Result<Right>> enter(const FileKey& key);

 private:
  CapabilityProbe& probe_;
  KeyLocks* locks_;
  Turns turns_;
};

bool is_expected(const Expected& expected, const std::optional<Found>& found);

// The file is not what was expected.
Error changed_meanwhile();
// Others have been changing the file for as long as a client waits.
Error too_contended();

// The condition under which a change goes on from what was expected. Where the store has none for
// it, a look whether it still is there: conflict if it is not.
Task<Result<Condition>> condition_for(Objects& objects, const std::string& key,
                                      const Capabilities& can, const Expected& expected, Way way);

}  // namespace flowstore::files::s3
