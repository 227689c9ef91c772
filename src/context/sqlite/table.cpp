// Calls into SQLite block; they run on the writer's thread.

#include "context/sqlite/table.h"

#include <utility>
#include <vector>

#include <sqlite3.h>

#include "base/log_text.h"
#include "context/characters.h"

namespace flowstore::context::sqlite {
namespace {

// Projects whose size is remembered, at about 100 bytes each. Beyond it all are summed anew.
constexpr std::size_t kMostSizes = 100'000;

// "2026-11-22 22:30:05.103 +00:00", as Sequelize writes dates into SQLite.
std::string sequelize_date(std::chrono::system_clock::time_point time) {
  std::string text;
  append_time(text, time);  // 2026-11-22T22:30:05.103Z
  text[10] = ' ';
  text.replace(text.size() - 1, 1, " +00:00");
  return text;
}

Table::Outcome failed(Code code) {
  Table::Outcome outcome;
  outcome.code = code;
  return outcome;
}

Table::Outcome refused(Error error) {
  Table::Outcome outcome;
  outcome.status = std::move(error);
  return outcome;
}

}  // namespace

Code Table::prepare() {
  struct Wanted {
    Statement* statement;
    const char* sql;
  };
  Statements& own = statements_;
  const Wanted all[] = {
      {&own.data_version, "PRAGMA data_version"},
      {&own.find, "SELECT `values` FROM `Contexts` WHERE `project` = ? AND `scope` = ?"},
      {&own.exists, "SELECT 0 FROM `Contexts` WHERE `project` = ? AND `scope` = ?"},
      {&own.all, "SELECT `values` FROM `Contexts` WHERE `project` = ?"},
      {&own.update,
       "UPDATE `Contexts` SET `values` = ?3, `updatedAt` = ?4"
       " WHERE `project` = ?1 AND `scope` = ?2"},
      {&own.insert,
       "INSERT INTO `Contexts` (`project`, `scope`, `values`, `createdAt`, `updatedAt`)"
       " VALUES (?1, ?2, ?3, ?4, ?4)"},
      {&own.remove, "DELETE FROM `Contexts` WHERE `project` = ? AND `scope` = ?"},
      {&own.scopes, "SELECT `id`, `scope` FROM `Contexts` WHERE `project` = ?"},
      {&own.remove_id, "DELETE FROM `Contexts` WHERE `id` = ? RETURNING `values`"},
  };
  for (const Wanted& wanted : all) {
    const Code code = connection_.prepare(*wanted.statement, wanted.sql);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

// Within the transaction nobody else commits, so what data_version says holds until its end.
Code Table::begin() {
  written_bytes_ = 0;
  Statement& statement = statements_.data_version;
  const Use use(statement);
  if (!statement.step()) return statement.code();
  const std::int64_t version = statement.number(0);
  if (version != seen_version_ || sizes_.size() > kMostSizes) sizes_.clear();
  seen_version_ = version;
  return SQLITE_OK;
}

Table::Outcome Table::replace(const RowKey& key, const NewValues& values, CharacterLimit limit) {
  // The present values have to be read to be counted, so that is done only where it matters.
  const bool is_length_needed = limit || sizes_.contains(key.project);
  Statement& statement = is_length_needed ? statements_.find : statements_.exists;
  Present present;
  {
    const Use use(statement);
    statement.bind(1, key.project).bind(2, key.scope);
    present.is_there = statement.step();
    if (statement.code() != SQLITE_OK) return failed(statement.code());
    if (present.is_there) present.characters = characters(statement.text(0));
  }
  return write(key, present, values, limit);
}

Table::Outcome Table::update(const RowKey& key, const Mutation& mutation, CharacterLimit limit) {
  Statement& statement = statements_.find;
  Present present;
  NewValues values;
  {
    const Use use(statement);
    statement.bind(1, key.project).bind(2, key.scope);
    present.is_there = statement.step();
    if (statement.code() != SQLITE_OK) return failed(statement.code());
    std::optional<std::string_view> text;
    if (present.is_there) {
      text = statement.text(0);
      present.characters = characters(*text);
    }
    auto changed = mutation(text);
    if (!changed) return refused(std::move(changed).error());
    values = *std::move(changed);
  }
  return write(key, present, values, limit);
}

Table::Outcome Table::write(const RowKey& key, const Present& present, const NewValues& values,
                            CharacterLimit limit) {
  const std::uint64_t after = values ? characters(*values) : 0;
  if (limit && after > present.characters) {
    std::uint64_t sum = 0;
    if (const Code code = total(key.project, sum); code != SQLITE_OK) return failed(code);
    if (!fits(sum, present.characters, after, limit)) return refused(Error::over_quota(*limit));
  }
  Code code = SQLITE_OK;
  if (values) {
    code = put(key, present.is_there, *values);
  } else if (present.is_there) {
    const Use use(statements_.remove);
    statements_.remove.bind(1, key.project).bind(2, key.scope).step();
    code = statements_.remove.code();
  }
  if (code != SQLITE_OK) return failed(code);
  grow(key.project, present.characters, after);
  return {};
}

Code Table::put(const RowKey& key, bool is_there, const std::string& values) {
  Statement& statement = is_there ? statements_.update : statements_.insert;
  const std::string now = sequelize_date(clock_.wall());
  const Use use(statement);
  statement.bind(1, key.project).bind(2, key.scope).bind(3, values).bind(4, now).step();
  written_bytes_ += values.size();
  return statement.code();
}

// Counted here and not by LENGTH(), which sees texts with a NUL and bytes that are no text another
// way than characters() does: the differences of single rows must add up to the sum.
Code Table::total(const std::string& project, std::uint64_t& sum) {
  if (const auto size = sizes_.find(project); size != sizes_.end()) {
    sum = size->second;
    return SQLITE_OK;
  }
  const Use use(statements_.all);
  statements_.all.bind(1, project);
  while (statements_.all.step()) sum += characters(statements_.all.text(0));
  if (statements_.all.code() == SQLITE_OK) sizes_.emplace(project, sum);
  return statements_.all.code();
}

void Table::grow(const std::string& project, std::uint64_t before, std::uint64_t after) {
  const auto size = sizes_.find(project);
  if (size != sizes_.end()) size->second = size->second - before + after;
}

Table::Outcome Table::clean(const std::string& project,
                            const std::function<bool(std::string_view scope)>& is_kept) {
  std::vector<std::int64_t> gone;
  {
    const Use use(statements_.scopes);
    statements_.scopes.bind(1, project);
    while (statements_.scopes.step()) {
      if (!is_kept(statements_.scopes.text(1))) gone.push_back(statements_.scopes.number(0));
    }
    if (statements_.scopes.code() != SQLITE_OK) return failed(statements_.scopes.code());
  }
  Statement& remove = statements_.remove_id;
  for (const std::int64_t id : gone) {
    const Use use(remove);
    remove.bind(1, id);
    while (remove.step()) grow(project, characters(remove.text(0)), 0);
    if (remove.code() != SQLITE_OK) return failed(remove.code());
  }
  return {};
}

}  // namespace flowstore::context::sqlite
