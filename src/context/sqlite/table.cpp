// Calls into SQLite block; they run on the writer's thread.

#include "context/sqlite/table.h"

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
  const Wanted all[] = {
      {&data_version_, "PRAGMA data_version"},
      {&find_, "SELECT `values` FROM `Contexts` WHERE `project` = ? AND `scope` = ?"},
      {&exists_, "SELECT 0 FROM `Contexts` WHERE `project` = ? AND `scope` = ?"},
      {&length_, "SELECT LENGTH(`values`) FROM `Contexts` WHERE `project` = ? AND `scope` = ?"},
      {&sum_, "SELECT SUM(LENGTH(`values`)) FROM `Contexts` WHERE `project` = ?"},
      {&update_,
       "UPDATE `Contexts` SET `values` = ?3, `updatedAt` = ?4 WHERE `project` = ?1 AND `scope` = "
       "?2"},
      {&insert_,
       "INSERT INTO `Contexts` (`project`, `scope`, `values`, `createdAt`, `updatedAt`)"
       " VALUES (?1, ?2, ?3, ?4, ?4)"},
      {&remove_, "DELETE FROM `Contexts` WHERE `project` = ? AND `scope` = ?"},
      {&scopes_, "SELECT `id`, `scope` FROM `Contexts` WHERE `project` = ?"},
      {&remove_id_, "DELETE FROM `Contexts` WHERE `id` = ?"},
  };
  for (const Wanted& wanted : all) {
    const Code code = connection_.prepare(*wanted.statement, wanted.sql);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

// Within the transaction nobody else commits, so what data_version says holds until its end.
Code Table::begin() {
  const Use use(data_version_);
  if (!data_version_.step()) return data_version_.code();
  const std::int64_t version = data_version_.number(0);
  if (version != seen_version_ || sizes_.size() > kMostSizes) sizes_.clear();
  seen_version_ = version;
  return SQLITE_OK;
}

Table::Outcome Table::replace(const RowKey& key, const NewValues& values, CharacterLimit limit) {
  // The length of the present values has to be counted, so it is asked for only where it matters.
  const bool is_length_needed = limit || sizes_.contains(key.project);
  Statement& statement = is_length_needed ? length_ : exists_;
  Present present;
  {
    const Use use(statement);
    statement.bind(1, key.project).bind(2, key.scope);
    present.is_there = statement.step();
    if (statement.code() != SQLITE_OK) return failed(statement.code());
    if (present.is_there) present.characters = static_cast<std::uint64_t>(statement.number(0));
  }
  return write(key, present, values, limit);
}

Table::Outcome Table::update(const RowKey& key, const Mutation& mutation, CharacterLimit limit) {
  Present present;
  NewValues values;
  {
    const Use use(find_);
    find_.bind(1, key.project).bind(2, key.scope);
    present.is_there = find_.step();
    if (find_.code() != SQLITE_OK) return failed(find_.code());
    std::optional<std::string_view> text;
    if (present.is_there) {
      text = find_.text(0);
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
    std::uint64_t all = 0;
    if (const Code code = total(key.project, all); code != SQLITE_OK) return failed(code);
    if (!fits(all, present.characters, after, limit)) return refused(Error::over_quota(*limit));
  }
  Code code = SQLITE_OK;
  if (values) {
    code = put(key, present.is_there, *values);
  } else if (present.is_there) {
    const Use use(remove_);
    remove_.bind(1, key.project).bind(2, key.scope).step();
    code = remove_.code();
  }
  if (code != SQLITE_OK) return failed(code);
  if (const auto size = sizes_.find(key.project); size != sizes_.end()) {
    size->second += after - present.characters;
  }
  return {};
}

Code Table::put(const RowKey& key, bool is_there, const std::string& values) {
  Statement& statement = is_there ? update_ : insert_;
  const std::string now = sequelize_date(clock_.wall());
  const Use use(statement);
  statement.bind(1, key.project).bind(2, key.scope).bind(3, values).bind(4, now).step();
  return statement.code();
}

Code Table::total(const std::string& project, std::uint64_t& characters) {
  if (const auto size = sizes_.find(project); size != sizes_.end()) {
    characters = size->second;
    return SQLITE_OK;
  }
  const Use use(sum_);
  sum_.bind(1, project).step();
  if (sum_.code() != SQLITE_OK) return sum_.code();
  characters = static_cast<std::uint64_t>(sum_.number(0));
  sizes_.emplace(project, characters);
  return SQLITE_OK;
}

Table::Outcome Table::clean(const std::string& project,
                            const std::function<bool(std::string_view scope)>& is_kept) {
  std::vector<std::int64_t> gone;
  {
    const Use use(scopes_);
    scopes_.bind(1, project);
    while (scopes_.step()) {
      if (!is_kept(scopes_.text(1))) gone.push_back(scopes_.number(0));
    }
    if (scopes_.code() != SQLITE_OK) return failed(scopes_.code());
  }
  for (const std::int64_t id : gone) {
    const Use use(remove_id_);
    remove_id_.bind(1, id).step();
    if (remove_id_.code() != SQLITE_OK) return failed(remove_id_.code());
  }
  if (!gone.empty()) sizes_.erase(project);
  return {};
}

}  // namespace flowstore::context::sqlite
