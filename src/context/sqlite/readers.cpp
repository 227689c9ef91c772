// Calls into SQLite block; they run on the blocking pool.

#include "context/sqlite/readers.h"

#include <limits>
#include <utility>

#include <sqlite3.h>

#include "context/sqlite/schema.h"
#include "context/sqlite/trouble.h"

namespace flowstore::context::sqlite {
namespace {

// Of one piece of a page: with many clients at once this is what their pages keep in memory.
constexpr std::size_t kPieceBytes = 256 * 1024;

}  // namespace

struct Readers::Reader {
  Connection connection;
  Statement values;
  Statement ids;
  Statement count;
  Statement row;

  Code open(const Options& options) {
    struct Wanted {
      Statement* statement;
      const char* sql;
    };
    const Wanted all[] = {
        {&values, "SELECT `values` FROM `Contexts` WHERE `project` = ? AND `scope` = ?"},
        {&ids,
         "SELECT `id` FROM `Contexts` WHERE `project` = ? AND `id` > ? ORDER BY `id` LIMIT ?"},
        {&count, "SELECT COUNT(*) FROM `Contexts` WHERE `project` = ?"},
        {&row, "SELECT `scope`, `values` FROM `Contexts` WHERE `id` = ? AND `project` = ?"},
    };
    Code code = open_for_reading(connection, options);
    for (const Wanted& wanted : all) {
      if (code == SQLITE_OK) code = connection.prepare(*wanted.statement, wanted.sql);
    }
    return code;
  }

  Code find(const RowKey& key, std::optional<std::string>& found) {
    const Use use(values);
    if (values.bind(1, key.project).bind(2, key.scope).step()) found = values.text(0);
    return values.code();
  }

  Code start_page(const std::string& project, std::int64_t after, std::int64_t most,
                  PageStart& page) {
    {
      const Use use(count);
      if (count.bind(1, project).step()) page.count = static_cast<std::uint64_t>(count.number(0));
      if (count.code() != SQLITE_OK) return count.code();
    }
    const Use use(ids);
    ids.bind(1, project).bind(2, after).bind(3, most);
    while (ids.step()) page.ids.push_back(ids.number(0));
    return ids.code();
  }

  Code read_rows(const std::string& project, const std::vector<std::int64_t>& wanted,
                 std::size_t& next, std::vector<Row>& rows) {
    std::size_t bytes = 0;
    for (; next < wanted.size() && bytes < kPieceBytes; ++next) {
      const Use use(row);
      if (row.bind(1, wanted[next]).bind(2, project).step()) {
        Row& read = rows.emplace_back();
        read.id = wanted[next];
        read.scope = row.text(0);
        read.values = row.text(1);
        bytes += read.values.size();
      }
      if (row.code() != SQLITE_OK) return row.code();
    }
    return SQLITE_OK;
  }
};

Readers::Readers(const Options& options, const Clock& clock, Log& log)
    : options_(options),
      outage_(clock, log,
              "the context database cannot be read; check the disk and the file's rights",
              "the context database can be read again") {}

Readers::~Readers() = default;

Code Readers::with_reader(const std::function<Code(Reader& reader)>& ask) {
  std::unique_ptr<Reader> reader;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      reader = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  Code code = SQLITE_OK;
  if (!reader) {
    reader = std::make_unique<Reader>();
    code = reader->open(options_);
  }
  if (code == SQLITE_OK) code = ask(*reader);
  if (code != SQLITE_OK) {
    outage_.failed(reader->connection.message());
    return code;  // the connection may be part of the trouble: the next one is new
  }
  outage_.answered();
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(reader));
  return code;
}

Result<std::optional<std::string>> Readers::values(const RowKey& key) {
  std::optional<std::string> found;
  const Code code = with_reader([&](Reader& reader) { return reader.find(key, found); });
  if (code != SQLITE_OK) return translate(code);
  return found;
}

Result<PageStart> Readers::page(const std::string& project, std::int64_t after, std::int64_t most) {
  PageStart page;
  const Code code = with_reader([&](Reader& reader) {
    // One moment for the count, the ids and the first rows. It ends here: a transaction that stayed
    // open while a slow client reads would keep the journal from starting over.
    Code step = reader.connection.run("BEGIN");
    if (step == SQLITE_OK) step = reader.start_page(project, after, most, page);
    std::size_t next = 0;
    if (step == SQLITE_OK) step = reader.read_rows(project, page.ids, next, page.rows);
    page.next_id = next;
    if (step == SQLITE_OK) step = reader.connection.run("COMMIT");
    return step;
  });
  if (code != SQLITE_OK) return translate(code);
  return page;
}

Result<std::vector<Row>> Readers::rows(const std::string& project,
                                       const std::vector<std::int64_t>& ids, std::size_t& next) {
  std::vector<Row> rows;
  const Code code =
      with_reader([&](Reader& reader) { return reader.read_rows(project, ids, next, rows); });
  if (code != SQLITE_OK) return translate(code);
  return rows;
}

Status Readers::probe() {
  const RowKey nobody;
  const auto found = values(nobody);
  if (!found) return found.error();
  return {};
}

}  // namespace flowstore::context::sqlite
