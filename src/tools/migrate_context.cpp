#include <set>
#include <utility>

#include "tools/migrate.h"
#include "tools/stores.h"
#include "tools/walk.h"

namespace flowstore::tools {
namespace {

using context::ContextStore;
using context::RowKey;

class ContextMigration {
 public:
  ContextMigration(ContextStore& source, ContextStore& target, MigrateOptions options,
                   Session session, Migrated& done)
      : source_(source),
        target_(target),
        wanted_(ids_of(options.projects)),
        is_dry_run_(options.is_dry_run),
        session_(session),
        done_(done) {}

  Task<Status> run() {
    FLOWSTORE_CO_TRY(const auto projects, co_await chosen(source_));
    std::uint64_t characters = 0;
    for (const auto& use : projects) characters += use.characters;
    session_.progress.begin(is_dry_run_ ? "comparing context" : "copying context", characters);
    std::set<std::string> known;
    for (const auto& use : projects) {
      known.insert(use.project);
      FLOWSTORE_CO_TRY_STATUS(co_await migrate(use.project));
    }
    FLOWSTORE_CO_TRY(const auto there, co_await chosen(target_));
    const std::set<std::string> none;
    for (const auto& use : there) {
      if (known.contains(use.project)) continue;
      FLOWSTORE_CO_TRY_STATUS(co_await find_extra(use.project, none));
    }
    co_return Status();
  }

 private:
  Task<Result<std::vector<context::ProjectUse>>> chosen(ContextStore& store) {
    FLOWSTORE_CO_TRY(auto all, co_await all_context(store));
    std::erase_if(all, [this](const context::ProjectUse& use) {
      return !wanted_.empty() && !wanted_.contains(use.project);
    });
    co_return all;
  }

  // In the order of the source's ids, so that clients see the scopes in the same order.
  Task<Status> migrate(const std::string& project) {
    std::set<std::string> scopes;
    auto copy_row = [&](const context::Row& row) -> Task<Status> {
      scopes.insert(row.scope);
      const RowKey key(project, row.scope);
      const Status copied = co_await copy(key, row.values);
      session_.progress.add_items(1);
      session_.progress.add_bytes(row.values.size());
      if (copied) co_return Status();
      done_.failed.add(name(key) + ": " + copied.error().message());
      if (!done_.is_hopeless()) co_return Status();
      co_return Error(ErrorKind::unavailable, "migrate",
                      "gave up after too many scopes that could not be copied");
    };
    FLOWSTORE_CO_TRY_STATUS(co_await for_each_row(source_, project, session_, copy_row));
    co_return co_await find_extra(project, scopes);
  }

  Task<Status> copy(const RowKey& key, const std::string& values) {
    FLOWSTORE_CO_TRY(const auto present, co_await target_.read(caller_, key));
    if (present == values) {
      ++done_.scopes_same;
      co_return Status();
    }
    if (!is_dry_run_) {
      const context::NewValues given(values);
      FLOWSTORE_CO_TRY_STATUS(co_await target_.replace(caller_, key, given, std::nullopt));
      FLOWSTORE_CO_TRY(const auto written, co_await target_.read(caller_, key));
      if (written != values) {
        co_return Error(
            ErrorKind::internal, "digest",
            "what was read back is not what was written; does something else write there?");
      }
    }
    ++done_.scopes;
    co_return Status();
  }

  Task<Status> find_extra(const std::string& project, const std::set<std::string>& known) {
    auto look = [&](const context::Row& row) -> Task<Status> {
      if (!known.contains(row.scope)) done_.extra.add(name(RowKey(project, row.scope)));
      co_return Status();
    };
    co_return co_await for_each_row(target_, project, session_, look);
  }

  static std::string name(const RowKey& key) { return "context " + key.project + " " + key.scope; }

  ContextStore& source_;
  ContextStore& target_;
  std::set<std::string> wanted_;
  bool is_dry_run_;
  Session session_;
  Migrated& done_;
  const Caller caller_;
};

}  // namespace

Task<Status> migrate_context(ContextStore& source, ContextStore& target, MigrateOptions options,
                             Session session, Migrated& done) {
  ContextMigration migration(source, target, std::move(options), session, done);
  co_return co_await migration.run();
}

}  // namespace flowstore::tools
