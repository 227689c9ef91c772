// A context store whose rows a test writes as another program might, and that fails when told to.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "context/context_store.h"

namespace flowstore::context {

// Used by one thread.
class ScriptedStore final : public ContextStore {
 public:
  // Every call fails with this.
  void fail(std::optional<Error> error) { error_ = std::move(error); }
  // next() of a page fails with this after `rows` rows.
  void fail_pages_after(int rows, Error error) {
    rows_before_failure_ = rows;
    page_error_ = std::move(error);
  }

  int calls = 0;
  int rows_pulled = 0;
  std::optional<RowKey> asked;  // by the last call that named a row
  CharacterLimit limit;         // of the last write
  std::int64_t after = 0;       // of the last list
  std::int64_t most = 0;
  std::function<void()> on_update;  // before the mutation runs

  // Puts a row there as it is.
  void put(const std::string& project, const std::string& scope, std::string values) {
    rows_.emplace_back(project, Row());
    Row& row = rows_.back().second;
    row.id = static_cast<std::int64_t>(rows_.size());
    row.scope = scope;
    row.values = std::move(values);
  }
  std::optional<std::string> values(const std::string& project, const std::string& scope) const {
    for (const auto& [owner, row] : rows_) {
      if (owner == project && row.scope == scope) return row.values;
    }
    return std::nullopt;
  }

  Task<Result<std::optional<std::string>>> read(const Caller&, const RowKey& key) override {
    ++calls;
    asked = key;
    if (error_) co_return *error_;
    co_return values(key.project, key.scope);
  }

  Task<Status> replace(const Caller&, const RowKey& key, NewValues values,
                       CharacterLimit most_characters) override {
    ++calls;
    asked = key;
    limit = most_characters;
    if (error_) co_return *error_;
    write(key, std::move(values));
    co_return Status();
  }

  Task<Status> update(const Caller&, const RowKey& key, Mutation mutation,
                      CharacterLimit most_characters) override {
    ++calls;
    asked = key;
    limit = most_characters;
    if (error_) co_return *error_;
    if (on_update) on_update();
    const auto present = values(key.project, key.scope);
    std::optional<std::string_view> view;
    if (present) view = *present;
    // Twice, as after a conflict.
    FLOWSTORE_CO_TRY(NewValues unused, mutation(view));
    FLOWSTORE_CO_TRY(NewValues changed, mutation(view));
    write(key, std::move(changed));
    co_return Status();
  }

  Task<Result<Page>> list(const Caller&, const std::string& project, std::int64_t after_id,
                          std::int64_t most_rows) override {
    ++calls;
    after = after_id;
    most = most_rows;
    if (error_) co_return *error_;
    Page page;
    auto rows = std::make_unique<Rows>(*this);
    for (const auto& [owner, row] : rows_) {
      if (owner != project) continue;
      ++page.count;
      if (row.id > after_id) rows->rows.push_back(row);
    }
    page.rows = std::move(rows);
    co_return page;
  }

  Task<Status> clean(const Caller&, const std::string& project,
                     std::function<bool(std::string_view)> is_kept) override {
    ++calls;
    if (error_) co_return *error_;
    std::erase_if(
        rows_, [&](const auto& row) { return row.first == project && !is_kept(row.second.scope); });
    co_return Status();
  }

  Task<Result<std::vector<ProjectUse>>> projects(const std::string&) override {
    co_return std::vector<ProjectUse>();
  }

  Task<Result<std::optional<std::chrono::system_clock::time_point>>> last_change(
      const std::string&) override {
    co_return std::nullopt;
  }

  Task<Status> probe() override { co_return Status(); }

 private:
  struct Rows final : RowSource {
    explicit Rows(ScriptedStore& owner) : store(owner) {}
    Task<Result<std::optional<Row>>> next() override {
      if (store.page_error_ && at == static_cast<std::size_t>(store.rows_before_failure_)) {
        co_return *store.page_error_;
      }
      if (at == rows.size()) co_return std::optional<Row>();
      ++store.rows_pulled;
      co_return std::optional<Row>(rows[at++]);
    }
    ScriptedStore& store;
    std::vector<Row> rows;
    std::size_t at = 0;
  };

  void write(const RowKey& key, NewValues values) {
    std::erase_if(rows_, [&](const auto& row) {
      return row.first == key.project && row.second.scope == key.scope;
    });
    if (values) put(key.project, key.scope, *std::move(values));
  }

  std::vector<std::pair<std::string, Row>> rows_;  // project and row
  std::optional<Error> error_;
  std::optional<Error> page_error_;
  int rows_before_failure_ = 0;
};

}  // namespace flowstore::context
