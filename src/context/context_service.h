// ContextService: the rules of context storage.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/blocking_pool.h"
#include "base/caller.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/task.h"
#include "context/bad_rows.h"
#include "context/context_store.h"
#include "context/scope.h"
#include "context/set_values.h"
#include "metrics/operation_time.h"
#include "metrics/registry.h"

namespace flowstore::context {

// One scope of a project, in the form of the request.
struct ScopeName {
  ScopeName() = default;  // declared: travels through awaited expressions
  ScopeName(std::string project_id, std::string requested_scope)
      : project(std::move(project_id)), scope(std::move(requested_scope)) {}

  std::string project;
  std::string scope;
};

// The value of each expression that was asked for (canonical JSON text), nothing where JavaScript
// sees undefined.
using Values = std::vector<std::optional<std::string>>;

// A row as clients see it.
struct ShownRow {
  ShownRow() = default;
  std::string scope;   // the request's form
  std::string values;  // canonical JSON text of an object
};

// The rows of a page, pulled one by one. Used by one task at a time; may outlive the call that made
// it, not the service.
class ShownRows {
 public:
  ShownRows(std::string project, std::unique_ptr<RowSource> rows, BlockingPool& pool,
            BadRows& bad_rows)
      : project_(std::move(project)), rows_(std::move(rows)), pool_(pool), bad_rows_(bad_rows) {}

  // The next row; nothing at the end. A row that holds no JSON object is left out and reported.
  Task<Result<std::optional<ShownRow>>> next();

 private:
  std::string project_;
  std::unique_ptr<RowSource> rows_;
  BlockingPool& pool_;
  BadRows& bad_rows_;
};

struct ShownPage {
  ShownPage() = default;
  std::uint64_t count = 0;                  // rows of the project in all
  std::optional<std::int64_t> next_cursor;  // if the page is full
  std::unique_ptr<ShownRows> rows;          // never null
};

// Scopes, property expressions and quotas. Knows no HTTP and no database. Safe to use from any
// thread; what takes long to compute runs on `pool` and so does not keep the caller's loop.
//
// Errors are the store's, and of kind invalid: INVALID_EXPR for a bad expression, a code of "" for
// what JavaScript would throw, ERR_CONTEXT_VALUES for a row that holds no JSON object.
class ContextService {
 public:
  // All must outlive the service; `driver` names the store in metrics. `default_limit` counts where
  // a token's grant names no quota.
  ContextService(ContextStore& store, std::string_view driver, CharacterLimit default_limit,
                 BlockingPool& pool, const Clock& clock, Log& log, metrics::Registry& registry);

  // Sets and removes values, all or none. A scope that is empty afterwards is removed. No items
  // change nothing. `granted` is the quota of the token's grant.
  Task<Status> set(const Caller& caller, const ScopeName& name, std::vector<SetItem> items,
                   CharacterLimit granted);

  // Replaces everything in the scope by `object`, canonical text of an object whose names are taken
  // literally; an empty one removes the scope.
  Task<Status> replace(const Caller& caller, const ScopeName& name, std::string object,
                       CharacterLimit granted);

  // Nothing where there is no such scope: the expressions are not even looked at.
  Task<Result<std::optional<Values>>> get(const Caller& caller, const ScopeName& name,
                                          std::vector<std::u16string> expressions);

  // The names in the scope as a JSON array; "[]" where there is no such scope.
  Task<Result<std::string>> keys(const Caller& caller, const ScopeName& name);

  // Removing what is not there is no error.
  Task<Status> remove(const Caller& caller, const ScopeName& name);

  // The scopes with an id above `after`, at most `most` of them; see ContextStore::list.
  Task<Result<ShownPage>> list(const Caller& caller, const std::string& project, std::int64_t after,
                               std::int64_t most);

  // Removes the scopes of a project that the ids do not keep.
  Task<Status> clean(const Caller& caller, const std::string& project, ActiveIds ids);

  // What a project may hold whose grant says `granted`.
  CharacterLimit limit_for(CharacterLimit granted) const noexcept;

 private:
  // Reads a row, as canonical text of an object.
  Task<Result<std::optional<std::string>>> read(const Caller& caller, const ScopeName& name);
  // The answer for a write that was made under the limit, or a somewhat larger one.
  Status settle(Status outcome, CharacterLimit limit);

  ContextStore& store_;
  CharacterLimit default_limit_;
  BlockingPool& pool_;
  BadRows bad_rows_;
  metrics::OperationTime read_time_;
  metrics::OperationTime update_time_;
  metrics::OperationTime replace_time_;
  metrics::OperationTime list_time_;
  metrics::OperationTime clean_time_;
  metrics::Counter& quota_rejections_;
};

}  // namespace flowstore::context
