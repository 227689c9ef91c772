#include "context/memory/memory_store.h"

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "context/characters.h"

namespace flowstore::context::memory {
namespace {

struct StoredRow {
  StoredRow(std::int64_t number, std::string text, std::chrono::system_clock::time_point now)
      : id(number), values(std::move(text)), changed(now) {}
  std::int64_t id;
  std::string values;
  std::chrono::system_clock::time_point changed;
};

struct Project {
  std::map<std::string, StoredRow, std::less<>> rows;  // by scope
  std::map<std::int64_t, std::string> scopes;          // by id
  std::uint64_t characters = 0;
};

Error left() { return Error(ErrorKind::aborted, "", "the client has left"); }

class Store final : public ContextStore {
 public:
  Task<Result<std::optional<std::string>>> read(const Caller&, const RowKey& key) override {
    const std::lock_guard lock(mutex_);
    const auto project = projects_.find(key.project);
    if (project == projects_.end()) co_return std::optional<std::string>();
    const auto row = project->second.rows.find(key.scope);
    if (row == project->second.rows.end()) co_return std::optional<std::string>();
    co_return std::optional(row->second.values);
  }

  Task<Status> replace(const Caller& caller, const RowKey& key, NewValues values,
                       CharacterLimit limit) override {
    auto given = [&values](std::optional<std::string_view>) { return Result(std::move(values)); };
    co_return write(caller, key, given, limit);
  }

  Task<Status> update(const Caller& caller, const RowKey& key, Mutation mutation,
                      CharacterLimit limit) override {
    co_return write(caller, key, mutation, limit);
  }

  Task<Result<Page>> list(const Caller&, const std::string& project, std::int64_t after,
                          std::int64_t most) override;

  Task<Status> clean(const Caller& caller, const std::string& project,
                     std::function<bool(std::string_view)> is_kept) override {
    if (caller.has_left()) co_return left();
    const std::lock_guard lock(mutex_);
    const auto found = projects_.find(project);
    if (found == projects_.end()) co_return Status();
    auto& rows = found->second.rows;
    for (auto row = rows.begin(); row != rows.end();) {
      const auto next = std::next(row);
      if (!is_kept(row->first)) erase(found->second, row);
      row = next;
    }
    co_return Status();
  }

  Task<Result<std::vector<ProjectUse>>> projects(const std::string& after) override {
    const std::lock_guard lock(mutex_);
    std::vector<ProjectUse> found;
    for (auto project = projects_.upper_bound(after); project != projects_.end(); ++project) {
      if (project->second.rows.empty()) continue;
      ProjectUse& use = found.emplace_back();
      use.project = project->first;
      use.rows = project->second.rows.size();
      use.characters = project->second.characters;
    }
    co_return found;
  }

  Task<Result<std::optional<std::chrono::system_clock::time_point>>> last_change(
      const std::string& project) override {
    const std::lock_guard lock(mutex_);
    std::optional<std::chrono::system_clock::time_point> latest;
    const auto found = projects_.find(project);
    if (found == projects_.end()) co_return latest;
    for (const auto& [scope, row] : found->second.rows) {
      latest = std::max(latest.value_or(row.changed), row.changed);
    }
    co_return latest;
  }

  Task<Status> probe() override { co_return Status(); }

  // The row with that id, if it is still there.
  std::optional<Row> row(const std::string& project, std::int64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = projects_.find(project);
    if (found == projects_.end()) return std::nullopt;
    const auto scope = found->second.scopes.find(id);
    if (scope == found->second.scopes.end()) return std::nullopt;
    Row row;
    row.id = id;
    row.scope = scope->second;
    row.values = found->second.rows.find(scope->second)->second.values;
    return row;
  }

 private:
  using Rows = decltype(Project::rows);

  template <class Change>
  Status write(const Caller& caller, const RowKey& key, Change& change, CharacterLimit limit) {
    if (caller.has_left()) return left();
    const std::lock_guard lock(mutex_);
    Project& project = projects_[key.project];
    const auto row = project.rows.find(key.scope);
    const bool is_there = row != project.rows.end();
    std::optional<std::string_view> present;
    if (is_there) present = row->second.values;
    FLOWSTORE_TRY(NewValues values, attempt(change, present));
    const std::uint64_t before = is_there ? characters(row->second.values) : 0;
    const std::uint64_t after = values ? characters(*values) : 0;
    if (!fits(project.characters, before, after, limit)) return Error::over_quota(*limit);
    if (!values) {
      if (is_there) erase(project, row);
      return {};
    }
    project.characters = project.characters - before + after;
    if (is_there) {
      row->second.values = *std::move(values);
      row->second.changed = clock_.wall();
      return {};
    }
    const std::int64_t id = ++last_id_;
    project.scopes.emplace(id, key.scope);
    project.rows.emplace(key.scope, StoredRow(id, *std::move(values), clock_.wall()));
    return {};
  }

  template <class Change>
  static Result<NewValues> attempt(Change& change, std::optional<std::string_view> present) {
    try {
      return change(present);
    } catch (const std::exception&) {
      return Error(ErrorKind::internal, "", "The request could not be carried out");
    }
  }

  static void erase(Project& project, Rows::iterator row) {
    project.characters -= characters(row->second.values);
    project.scopes.erase(row->second.id);
    project.rows.erase(row);
  }

  SystemClock clock_;
  std::mutex mutex_;
  std::map<std::string, Project> projects_;  // guarded by mutex_
  std::int64_t last_id_ = 0;                 // guarded by mutex_
};

class PageRows final : public RowSource {
 public:
  PageRows(Store& store, std::string project, std::vector<std::int64_t> ids)
      : store_(store), project_(std::move(project)), ids_(std::move(ids)) {}

  Task<Result<std::optional<Row>>> next() override {
    while (at_ < ids_.size()) {
      auto row = store_.row(project_, ids_[at_++]);
      if (row) co_return std::move(row);
    }
    co_return std::optional<Row>();
  }

 private:
  Store& store_;
  std::string project_;
  std::vector<std::int64_t> ids_;
  std::size_t at_ = 0;
};

Task<Result<Page>> Store::list(const Caller&, const std::string& project, std::int64_t after,
                               std::int64_t most) {
  const std::lock_guard lock(mutex_);
  Page page;
  std::vector<std::int64_t> ids;
  if (const auto found = projects_.find(project); found != projects_.end()) {
    const auto& scopes = found->second.scopes;
    page.count = scopes.size();
    for (auto scope = scopes.upper_bound(after); scope != scopes.end(); ++scope) {
      if (most >= 0 && ids.size() == static_cast<std::uint64_t>(most)) break;
      ids.push_back(scope->first);
    }
  }
  if (most > 0 && ids.size() == static_cast<std::uint64_t>(most)) page.next_cursor = ids.back();
  page.rows = std::make_unique<PageRows>(*this, project, std::move(ids));
  co_return page;
}

}  // namespace

std::unique_ptr<ContextStore> make_store() { return std::make_unique<Store>(); }

}  // namespace flowstore::context::memory
