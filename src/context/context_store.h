// ContextStore: where context rows live. What every driver promises, and nothing about HTTP,
// tokens or Node-RED.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/caller.h"
#include "base/outage_log.h"
#include "base/result.h"
#include "base/task.h"

namespace flowstore::context {

// Names one row. `scope` is the stored form ("f1.flow"), see scope.h; both are UTF-8.
struct RowKey {
  RowKey() = default;  // declared: travels through awaited expressions
  RowKey(std::string project_id, std::string stored_scope)
      : project(std::move(project_id)), scope(std::move(stored_scope)) {}

  std::string project;
  std::string scope;
};

// The most characters (Unicode code points of the JSON text) that all rows of a project may hold
// together after a write; nothing means any number. A write that does not make its own row longer
// is never refused.
using CharacterLimit = std::optional<std::uint64_t>;

// What a row holds after a write: JSON text, or nothing to remove the row.
using NewValues = std::optional<std::string>;

// The new values of a row from its present ones (nothing where there is no row). Pure: it may run
// on another thread, and again after a conflict. An Error leaves the row as it was; an exception is
// a bug, and answered as internal.
using Mutation = std::function<Result<NewValues>(std::optional<std::string_view> present)>;

struct Row {
  Row() = default;
  std::int64_t id = 0;
  std::string scope;   // stored form
  std::string values;  // as stored; another program may have written anything
};

// The rows of a page, one after the other, pulled as fast as the client takes them: a page may be
// larger than memory. Used by one task at a time; may outlive the call that made it, not the store.
class RowSource {
 public:
  virtual ~RowSource() = default;

  // The next row; nothing at the end. A row that was removed meanwhile is left out.
  virtual Task<Result<std::optional<Row>>> next() = 0;
};

// What a project keeps.
struct ProjectUse {
  ProjectUse() = default;
  std::string project;
  std::uint64_t rows = 0;
  std::uint64_t characters = 0;  // as quotas count them
};

struct Page {
  Page() = default;
  std::uint64_t count = 0;                  // rows of the project in all
  std::optional<std::int64_t> next_cursor;  // id of the page's last row, if the page is full
  std::unique_ptr<RowSource> rows;          // never null
};

// Safe to use from any thread; resumes its caller on the caller's executor. Must outlive every
// call.
//
// What is answered is durable as far as the database promises it, and visible to every later read.
// Writes of one project happen one after the other; writes of different projects never wait for
// each other's limits. Every call ends within a few seconds, whatever the database does. Errors:
// over_quota, no_space, invalid (the database can not hold such a name), unavailable (the database
// is down, slow or overloaded: nothing was changed, or it is not known whether it was), aborted
// (the caller has left), internal.
class ContextStore {
 public:
  virtual ~ContextStore() = default;

  // The values of a row as stored; nothing where there is no row.
  virtual Task<Result<std::optional<std::string>>> read(const Caller& caller,
                                                        const RowKey& key) = 0;

  // Sets the values of a row whatever they were, or removes it. Removing what is not there is no
  // error.
  virtual Task<Status> replace(const Caller& caller, const RowKey& key, NewValues values,
                               CharacterLimit limit) = 0;

  // Reads the row, applies the mutation and writes the result, as one change.
  virtual Task<Status> update(const Caller& caller, const RowKey& key, Mutation mutation,
                              CharacterLimit limit) = 0;

  // The rows with an id above `after`, ordered by id, at most `most` of them. A negative `most`
  // means all, or is refused as invalid where the database refuses it.
  virtual Task<Result<Page>> list(const Caller& caller, const std::string& project,
                                  std::int64_t after, std::int64_t most) = 0;

  // Removes the rows of a project whose scope `is_kept` does not keep, as one change. `is_kept` is
  // pure and may run on another thread.
  virtual Task<Status> clean(const Caller& caller, const std::string& project,
                             std::function<bool(std::string_view scope)> is_kept) = 0;

  // Some of the projects that have rows, in the database's own order, behind the project `after`;
  // from the first one on if that is empty. None at the end.
  virtual Task<Result<std::vector<ProjectUse>>> projects(const std::string& after) = 0;

  // When a row of the project was written last, to the second; nothing where there is no row, or
  // where another program has left a date that says nothing.
  virtual Task<Result<std::optional<std::chrono::system_clock::time_point>>> last_change(
      const std::string& project) = 0;

  // Whether the store can work now; the error says what to do.
  virtual Task<Status> probe() = 0;

  // What requests find out about that anyway; null where nobody keeps count.
  virtual const OutageLog* outage() const { return nullptr; }

  // Ends the store's threads, blocking until they are gone. Every call that is under way is
  // answered (as unavailable, unless it was through) before this returns, so that nobody is resumed
  // on an executor that is gone; every later call, and next() of a RowSource, fails as unavailable.
  // Called before the store dies, while its callers and their RowSources may still exist. A store
  // without threads has nothing to do.
  virtual void stop() {}
};

}  // namespace flowstore::context
