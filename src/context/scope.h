// Scope: the two names of a row, as the database and as clients know it.

#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace flowstore::context {

// The name under which the database keeps the scope of a request: "f1" and "f1.flow" are "f1.flow",
// "n1:f1" is "f1.nodes.n1". Any text is a scope. The old server's rules, odd forms included: see
// docs/compatibility.md#scopes.
std::string stored_scope(std::string_view requested);

// What clients are told a stored scope is called: "f1.flow" is "f1", "f1.nodes.n1" is "n1:f1".
std::string shown_scope(std::string_view stored);

// The ids of flows and nodes that are in use, and so which scopes a clean leaves alone. Immutable,
// hence safe to use from any thread.
class ActiveIds {
 public:
  ActiveIds() = default;
  // Each id is the content of a canonical JSON string, without quotes.
  explicit ActiveIds(std::unordered_set<std::string> ids) : ids_(std::move(ids)) {}

  // Whether the stored scope is global, starts with "ID.flow" or ends in ".nodes.ID". Costs the
  // same however many ids there are.
  bool keeps(std::string_view stored) const;

 private:
  std::unordered_set<std::string> ids_;
};

}  // namespace flowstore::context
