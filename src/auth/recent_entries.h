// RecentEntries: what is known about tokens, the most recently used of them.

#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>

#include "auth/siphash.h"
#include "auth/token_verifier.h"
#include "base/clock.h"

namespace flowstore::auth {

// What one check of a token has told.
struct CacheEntry {
  CacheEntry() = default;

  Grant grant;                 // empty for a refused token
  Clock::Instant fresh_until;  // good without asking again
  Clock::Instant ask_at;       // a request after this makes somebody ask again
  int failures = 0;            // questions since then to which there was no answer
};

// A table of bounded size, from the keyed hash of (project, token) to what is known. When it is
// full, the entry that was not used for the longest time goes. Not thread-safe.
class RecentEntries {
 public:
  // `max_entries` is at least 1.
  explicit RecentEntries(std::size_t max_entries) : max_entries_(max_entries) {}

  // The entry, which counts as used now; null if there is none. Valid until the next change.
  CacheEntry* find(const HashValue& key);
  void put(const HashValue& key, CacheEntry entry);
  void erase(const HashValue& key);
  std::size_t size() const noexcept { return index_.size(); }

 private:
  struct Node {
    HashValue key;
    CacheEntry entry;
  };
  struct Hash {
    // The key is a hash already, and nobody outside can choose it.
    std::size_t operator()(const HashValue& key) const noexcept { return key.low; }
  };

  const std::size_t max_entries_;
  std::list<Node> nodes_;  // the most recently used first
  std::unordered_map<HashValue, std::list<Node>::iterator, Hash> index_;
};

}  // namespace flowstore::auth
