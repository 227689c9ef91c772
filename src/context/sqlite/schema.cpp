#include "context/sqlite/schema.h"

#include <filesystem>
#include <system_error>

#include <sqlite3.h>

namespace flowstore::context::sqlite {
namespace {

// As the old server makes it. The index is ours: pages come in the order of ids without sorting,
// and the old server neither sees nor minds it.
constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS `Contexts` (`id` INTEGER PRIMARY KEY AUTOINCREMENT,"
    " `project` VARCHAR(255) NOT NULL, `scope` VARCHAR(255) NOT NULL, `values` JSON NOT NULL,"
    " `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL, UNIQUE (`project`, `scope`));"
    "CREATE INDEX IF NOT EXISTS `flowstore_contexts_project` ON `Contexts` (`project`);";

Error cannot_open(const Options& options, const std::string& reason) {
  return Error(ErrorKind::internal, "context",
               "context.options.storage " + options.file + ": " + reason);
}

Status use_journal(const Connection& connection, const Options& options) {
  const bool is_wal = options.journal == Journal::wal;
  Code code = SQLITE_OK;
  const std::string mode =
      connection.ask(is_wal ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE", code);
  if (code != SQLITE_OK) return cannot_open(options, connection.message());
  if (mode == (is_wal ? "wal" : "delete")) return {};
  return cannot_open(
      options, is_wal ? "this volume cannot share memory, which the journal \"wal\" needs; set "
                        "context.options.journal: delete"
                      : "another process keeps the journal in mode \"" + mode +
                            "\"; stop it, or set context.options.journal: wal");
}

Status make_tables(const Connection& connection, const Options& options) {
  // Two processes may start at once; the second waits and finds everything there.
  const bool is_made = connection.run("BEGIN IMMEDIATE") == SQLITE_OK &&
                       connection.run(kSchema) == SQLITE_OK &&
                       connection.run("COMMIT") == SQLITE_OK;
  if (is_made) return {};
  return cannot_open(options, connection.message());
}

}  // namespace

Status open_for_writing(Connection& connection, const Options& options) {
  const std::filesystem::path file(options.file);
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  if (failed) return cannot_open(options, "its folder cannot be made: " + failed.message());
  // Half of the patience is for the turn, half for other processes.
  if (connection.open(options.file, options.patience / 2) != SQLITE_OK) {
    return cannot_open(options, connection.message() + "; check that the folder can be written");
  }
  FLOWSTORE_TRY_STATUS(use_journal(connection, options));
  // FULL: what is answered is on the disk. Many writes share one commit, so it costs little.
  // The size limit cuts a journal that one large write made long.
  const bool is_set = connection.run("PRAGMA synchronous=FULL") == SQLITE_OK &&
                      connection.run("PRAGMA journal_size_limit=67108864") == SQLITE_OK;
  if (!is_set) return cannot_open(options, connection.message());
  return make_tables(connection, options);
}

Code open_for_reading(Connection& connection, const Options& options) {
  const Code code = connection.open(options.file, options.patience);
  return code != SQLITE_OK ? code : connection.run("PRAGMA query_only=ON");
}

}  // namespace flowstore::context::sqlite
