#include "context/sqlite/schema.h"

#include <filesystem>
#include <string>
#include <system_error>

#include <sqlite3.h>

#include "base/new_folder.h"

namespace flowstore::context::sqlite {
namespace {

// As the old server makes it. The index is ours: pages come in the order of ids without sorting,
// and the old server neither sees nor minds it.
constexpr const char* kContexts =
    "CREATE TABLE IF NOT EXISTS `Contexts` (`id` INTEGER PRIMARY KEY AUTOINCREMENT,"
    " `project` VARCHAR(255) NOT NULL, `scope` VARCHAR(255) NOT NULL, `values` JSON NOT NULL,"
    " `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL, UNIQUE (`project`, `scope`));"
    "CREATE INDEX IF NOT EXISTS `flowstore_contexts_project` ON `Contexts` (`project`);";

// How many rows a project has, which every page says: counting a thousand of them would take longer
// than reading the page. Triggers keep it, whoever writes, except where a program replaces a row by
// INSERT OR REPLACE: SQLite runs no trigger for the row that goes.
constexpr const char* kCounts =
    "DROP TRIGGER IF EXISTS `flowstore_context_counts_insert`;"
    "DROP TRIGGER IF EXISTS `flowstore_context_counts_delete`;"
    "DROP TRIGGER IF EXISTS `flowstore_context_counts_update`;"
    "DROP TABLE IF EXISTS `flowstore_context_counts`;"
    "CREATE TABLE `flowstore_context_counts`"
    " (`project` VARCHAR(255) NOT NULL PRIMARY KEY, `rows` INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TRIGGER `flowstore_context_counts_insert` AFTER INSERT ON `Contexts` BEGIN"
    " INSERT INTO `flowstore_context_counts` VALUES (NEW.`project`, 1)"
    " ON CONFLICT (`project`) DO UPDATE SET `rows` = `rows` + 1; END;"
    "CREATE TRIGGER `flowstore_context_counts_delete` AFTER DELETE ON `Contexts` BEGIN"
    " UPDATE `flowstore_context_counts` SET `rows` = `rows` - 1 WHERE `project` = OLD.`project`;"
    " DELETE FROM `flowstore_context_counts` WHERE `project` = OLD.`project` AND `rows` <= 0; END;"
    "CREATE TRIGGER `flowstore_context_counts_update` AFTER UPDATE OF `project` ON `Contexts`"
    " WHEN NEW.`project` <> OLD.`project` BEGIN"
    " UPDATE `flowstore_context_counts` SET `rows` = `rows` - 1 WHERE `project` = OLD.`project`;"
    " DELETE FROM `flowstore_context_counts` WHERE `project` = OLD.`project` AND `rows` <= 0;"
    " INSERT INTO `flowstore_context_counts` VALUES (NEW.`project`, 1)"
    " ON CONFLICT (`project`) DO UPDATE SET `rows` = `rows` + 1; END;";
// Every start counts anew, along the index, and writes what was wrong.
constexpr const char* kRecount =
    "INSERT INTO `flowstore_context_counts`"
    " SELECT `project`, COUNT(*) FROM `Contexts` WHERE TRUE GROUP BY `project`"
    " ON CONFLICT (`project`) DO UPDATE SET `rows` = excluded.`rows`"
    " WHERE `rows` <> excluded.`rows`;"
    "DELETE FROM `flowstore_context_counts`"
    " WHERE `project` NOT IN (SELECT `project` FROM `Contexts`);";
constexpr const char* kCountPieces =
    "SELECT COUNT(*) FROM `sqlite_schema` WHERE `name` LIKE 'flowstore\\_context\\_counts%' ESCAPE "
    "'\\'";
constexpr const char* kAllPieces = "4";

Error cannot_open(const Options& options, const std::string& reason) {
  return Error(ErrorKind::internal, "context",
               "context.options.storage " + options.file + ": " + reason);
}

// What the operator can do about it.
std::string advice(Code code) {
  constexpr int kPrimary = 0xFF;
  switch (code & kPrimary) {
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "; check that the file and its folder can be written";
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return "; restore it from a copy, or move it away to begin with an empty one";
    case SQLITE_BUSY:
      return "; another process holds the file";
    case SQLITE_FULL:
      return "; make room on the disk";
    default:
      return "";
  }
}

Error cannot_open(const Options& options, const Connection& connection, Code code) {
  return cannot_open(options, connection.message() + advice(code));
}

Status use_journal(const Connection& connection, const Options& options) {
  const bool is_wal = options.journal == Journal::wal;
  Code code = SQLITE_OK;
  const std::string mode =
      connection.ask(is_wal ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE", code);
  if (code != SQLITE_OK) return cannot_open(options, connection, code);
  if (mode == (is_wal ? "wal" : "delete")) return {};
  return cannot_open(
      options, is_wal ? "this volume cannot share memory, which the journal \"wal\" needs; set "
                        "context.options.journal: delete"
                      : "another process keeps the journal in mode \"" + mode +
                            "\"; stop it, or set context.options.journal: wal");
}

// Two processes may start at once; the second waits and finds everything there.
Code make_tables(const Connection& connection) {
  Code code = connection.run("BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = connection.run(kContexts);
  std::string pieces;
  if (code == SQLITE_OK) pieces = connection.ask(kCountPieces, code);
  const bool has_counts = pieces == kAllPieces;
  if (code == SQLITE_OK && !has_counts) code = connection.run(kCounts);
  if (code == SQLITE_OK && !has_counts) code = connection.run(kRecount);
  if (code == SQLITE_OK) code = connection.run("COMMIT");
  // No reason not to start if it fails: a file that is damaged in places serves what is whole.
  if (code == SQLITE_OK && has_counts) (void)connection.run(kRecount);
  return code;
}

}  // namespace

Status open_for_writing(Connection& connection, const Options& options) {
  const std::filesystem::path file(options.file);
  const std::error_code failed = make_new_folders(file.parent_path(), Names::synced);
  if (failed) return cannot_open(options, "its folder cannot be made: " + failed.message());
  Code code = connection.open(options.file, Missing::make, options.patience);
  if (code != SQLITE_OK) return cannot_open(options, connection, code);
  FLOWSTORE_TRY_STATUS(use_journal(connection, options));
  // What is answered is on the disk; EXTRA: with a journal that is deleted, its end as well. Many
  // writes share one commit, so it costs little.
  // The size limit cuts a journal that one large write made long.
  code = connection.run("PRAGMA synchronous=EXTRA; PRAGMA journal_size_limit=67108864");
  if (code == SQLITE_OK) code = make_tables(connection);
  if (code != SQLITE_OK) return cannot_open(options, connection, code);
  return {};
}

Code open_for_reading(Connection& connection, const Options& options) {
  const Code code = connection.open(options.file, Missing::fail, options.patience);
  // There may be as many readers as the pool has threads. What they find again in a cache of two
  // megabytes, the default, the system's own cache has as well: it made no read faster.
  return code != SQLITE_OK ? code : connection.run("PRAGMA query_only=ON; PRAGMA cache_size=-512");
}

}  // namespace flowstore::context::sqlite
