#include "auth/recent_entries.h"

#include <utility>

namespace flowstore::auth {

CacheEntry* RecentEntries::find(const HashValue& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  nodes_.splice(nodes_.begin(), nodes_, found->second);
  return &found->second->entry;
}

void RecentEntries::put(const HashValue& key, CacheEntry entry) {
  if (CacheEntry* known = find(key)) {
    *known = std::move(entry);
    return;
  }
  if (nodes_.size() == max_entries_) erase(nodes_.back().key);
  nodes_.push_front({key, std::move(entry)});
  index_.emplace(key, nodes_.begin());
}

void RecentEntries::erase(const HashValue& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  nodes_.erase(found->second);
  index_.erase(found);
}

}  // namespace flowstore::auth
