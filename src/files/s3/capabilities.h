// Capabilities: what this store can do beyond the S3 of 2006, found out by trying.

#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "base/task.h"
#include "base/turns.h"
#include "files/s3/objects.h"
#include "metrics/registry.h"

namespace flowstore::files::s3 {

// How a change takes effect.
enum class Way : std::uint8_t { put, completion, removal };

// Many stores take conditions and ignore them, Ceph 16 wants entity tags without their quotes: what
// a store says of itself is not asked. See docs/decisions/0011-s3.md.
struct Capabilities {
  Capabilities() = default;

  enum class IfMatch : std::uint8_t { none, quoted, unquoted };

  bool has_if_none_match = false;         // PUT creates, or does nothing
  IfMatch if_match = IfMatch::none;       // PUT replaces this version, or does nothing
  bool has_conditional_remove = false;    // DELETE the same
  bool has_conditional_complete = false;  // CompleteMultipartUpload the same
  bool has_md5_etags = false;             // of what PUT has stored

  bool has_conditional_put() const noexcept {
    return has_if_none_match && if_match != IfMatch::none;
  }

  // For what was found at the key; no condition where the store has none for this way.
  Condition unchanged(const std::optional<FileStat>& found, Way way) const;
};

// Finds them out once and remembers them. Safe to use from any thread.
class CapabilityProbe {
 public:
  // All must outlive it.
  CapabilityProbe(Objects& objects, Log& log, metrics::Registry& registry);

  // The first call tries them on objects of its own, ".flowstore/probe-...", which it removes;
  // others wait for it. Fails as the store does, and is then tried again by the next call.
  Task<Result<Capabilities>> get();

  // What is known already; nothing is assumed before.
  Capabilities known() const {
    return is_known_.load(std::memory_order_acquire) ? known_ : Capabilities();
  }

 private:
  Task<Result<Capabilities>> probe();
  Task<Status> probe_put(const std::string& key, Capabilities& found);
  Task<Status> probe_if_match(const std::string& key, const std::string& etag, Capabilities& found);
  Task<Result<bool>> does_put(const std::string& key, Condition condition);
  Task<Status> probe_complete(const std::string& key, Capabilities& found);
  Task<Status> probe_remove(const std::string& key, Capabilities& found);
  void report(const Capabilities& found);

  Objects& objects_;
  Log& log_;
  metrics::Registry& registry_;
  Turns turns_;
  std::atomic<bool> is_known_ = false;
  Capabilities known_;  // written once, before is_known_
};

}  // namespace flowstore::files::s3
