// Calls into SQLite block: for the disk, and for other processes.

#include "context/sqlite/connection.h"

#include <cerrno>

#include <sqlite3.h>

namespace flowstore::context::sqlite {

bool is_busy(Code code) noexcept { return (code & 0xFF) == SQLITE_BUSY; }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL.
  const char* const bytes = text.empty() ? "" : text.data();
  code_ = sqlite3_bind_text64(statement_.get(), parameter, bytes, text.size(), SQLITE_STATIC,
                              SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  code_ = sqlite3_bind_int64(statement_.get(), parameter, number);
  return *this;
}

bool Statement::step() {
  if (code_ != SQLITE_OK) return false;  // a parameter was refused, as one that is too long
  code_ = sqlite3_step(statement_.get());
  if (code_ == SQLITE_ROW) {
    code_ = SQLITE_OK;
    return true;
  }
  if (code_ == SQLITE_DONE) code_ = SQLITE_OK;
  return false;
}

std::int64_t Statement::number(int column) const noexcept {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const noexcept {
  const auto* const bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  code_ = SQLITE_OK;
}

void Connection::Close::operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }

Code Connection::open(const std::string& file, Missing missing,
                      std::chrono::milliseconds patience) {
  sqlite3* database = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int flags = kFlags | (missing == Missing::make ? SQLITE_OPEN_CREATE : 0);
  const Code code = sqlite3_open_v2(file.c_str(), &database, flags, nullptr);
  database_.reset(database);  // also after an error, for its message
  if (code == SQLITE_OK) set_patience(patience);
  return code;
}

void Connection::set_patience(std::chrono::milliseconds patience) const {
  sqlite3_busy_timeout(database_.get(), static_cast<int>(patience.count()));
}

Code Connection::run(const char* sql) const {
  return sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
}

std::string Connection::ask(const char* sql, Code& code) const {
  Statement statement;
  code = prepare(statement, sql);
  if (code != SQLITE_OK) return {};
  std::string answer;
  if (statement.step()) answer = statement.text(0);
  code = statement.code();
  return answer;
}

Code Connection::prepare(Statement& statement, const char* sql) const {
  sqlite3_stmt* prepared = nullptr;
  const Code code =
      sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  statement.statement_.reset(prepared);
  return code;
}

bool Connection::is_in_transaction() const noexcept {
  return sqlite3_get_autocommit(database_.get()) == 0;
}

std::string Connection::message() const {
  const int code = sqlite3_extended_errcode(database_.get());
  return std::string(sqlite3_errmsg(database_.get())) + " (code " + std::to_string(code) + ")";
}

Code Connection::with_cause(Code code) const {
  const int reason = sqlite3_system_errno(database_.get());
  const bool is_full = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
  return code == SQLITE_IOERR_WRITE && is_full ? SQLITE_FULL : code;
}

void Connection::keep_journal() {
  const auto note = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<Connection*>(self)->journal_pages_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_.get(), note, this);
}

Code Connection::move_journal() const {
  const Code code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                              nullptr, nullptr);
  return is_busy(code) ? SQLITE_OK : code;
}

}  // namespace flowstore::context::sqlite
