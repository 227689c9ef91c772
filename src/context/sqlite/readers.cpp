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
  bool is_open = false;
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
        {&count, "SELECT `rows` FROM `flowstore_context_counts` WHERE `project` = ?"},
        {&row, "SELECT `scope`, `values` FROM `Contexts` WHERE `id` = ? AND `project` = ?"},
    };
    Code code = open_for_reading(connection, options);
    for (const Wanted& wanted : all) {
      if (code == SQLITE_OK) code = connection.prepare(*wanted.statement, wanted.sql);
    }
    is_open = code == SQLITE_OK;
    return code;
  }

  Code find(const RowKey& key, std::optional<std::string>& found) {
    const Use use(values);
    if (values.bind(1, key.project).bind(2, key.scope).step()) found = values.text(0);
    return values.code();
  }

  // Asked too rarely to be kept prepared.
  Code read_projects(const std::string& after, std::vector<ProjectUse>& found) const {
    Statement projects;
    const Code code = connection.prepare(
        projects,
        "SELECT `project`, COUNT(*), SUM(LENGTH(`values`)) FROM `Contexts` WHERE `project` > ?"
        " GROUP BY `project` ORDER BY `project` LIMIT 100");
    if (code != SQLITE_OK) return code;
    projects.bind(1, after);
    while (projects.step()) {
      ProjectUse& use = found.emplace_back();
      use.project = projects.text(0);
      use.rows = static_cast<std::uint64_t>(projects.number(1));
      use.characters = static_cast<std::uint64_t>(projects.number(2));
    }
    return projects.code();
  }

  // Likewise. strftime() knows the dates of Sequelize, with their offset; what it does not know is
  // NULL, and not counted.
  Code find_last_change(const std::string& project,
                        std::optional<std::chrono::system_clock::time_point>& found) const {
    Statement latest;
    const Code code = connection.prepare(
        latest,
        "SELECT MAX(CAST(strftime('%s', `updatedAt`) AS INTEGER)) FROM `Contexts`"
        " WHERE `project` = ? GROUP BY `project`"
        " HAVING COUNT(strftime('%s', `updatedAt`)) = COUNT(*)");
    if (code != SQLITE_OK) return code;
    if (latest.bind(1, project).step()) {
      found = std::chrono::system_clock::time_point(std::chrono::seconds(latest.number(0)));
    }
    return latest.code();
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
        bytes += read.values.size() + read.scope.size();
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

// A connection, for as long as this lives. It is closed at the end unless return_it() was called:
// after trouble the next one is new.
class Readers::Lease {
 public:
  explicit Lease(Readers& readers) : readers_(readers) {
    const std::lock_guard lock(readers_.mutex_);
    if (readers_.is_stopped_) return;
    if (readers_.idle_.empty()) {
      reader_ = std::make_unique<Reader>();
    } else {
      reader_ = std::move(readers_.idle_.back());
      readers_.idle_.pop_back();
    }
    ++readers_.leased_;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (!is_granted()) return;
    if (!is_returned_) reader_.reset();
    const std::lock_guard lock(readers_.mutex_);
    if (reader_) readers_.idle_.push_back(std::move(reader_));
    if (--readers_.leased_ == 0) readers_.none_leased_.notify_all();
  }

  // False if the store has ended.
  bool is_granted() const noexcept { return reader_ != nullptr; }
  Reader& reader() noexcept { return *reader_; }
  void return_it() noexcept { is_returned_ = true; }

 private:
  Readers& readers_;
  std::unique_ptr<Reader> reader_;
  bool is_returned_ = false;
};

Status Readers::with_reader(const std::function<Code(Reader& reader)>& ask) {
  Lease lease(*this);
  if (!lease.is_granted()) return busy();
  Reader& reader = lease.reader();
  Code code = reader.is_open ? SQLITE_OK : reader.open(options_);
  if (code == SQLITE_OK) code = ask(reader);
  if (code != SQLITE_OK) {
    outage_.failed(reader.connection.message());
    return translate(code);
  }
  outage_.answered();
  lease.return_it();
  return {};
}

void Readers::stop() {
  std::unique_lock lock(mutex_);
  is_stopped_ = true;
  none_leased_.wait(lock, [this] { return leased_ == 0; });
  idle_.clear();
}

Result<std::optional<std::string>> Readers::values(const RowKey& key) {
  std::optional<std::string> found;
  FLOWSTORE_TRY_STATUS(with_reader([&](Reader& reader) { return reader.find(key, found); }));
  return found;
}

Result<PageStart> Readers::page(const std::string& project, std::int64_t after, std::int64_t most) {
  PageStart page;
  FLOWSTORE_TRY_STATUS(with_reader([&](Reader& reader) {
    // One moment for the count, the ids and the first rows. It ends here: a transaction that stayed
    // open while a slow client reads would keep the journal from starting over.
    Code step = reader.connection.run("BEGIN");
    if (step == SQLITE_OK) step = reader.start_page(project, after, most, page);
    std::size_t next = 0;
    if (step == SQLITE_OK) step = reader.read_rows(project, page.ids, next, page.rows);
    page.next_id = next;
    if (step == SQLITE_OK) step = reader.connection.run("COMMIT");
    return step;
  }));
  return page;
}

Result<std::vector<Row>> Readers::rows(const std::string& project,
                                       const std::vector<std::int64_t>& ids, std::size_t& next) {
  std::vector<Row> rows;
  const auto read = [&](Reader& reader) { return reader.read_rows(project, ids, next, rows); };
  FLOWSTORE_TRY_STATUS(with_reader(read));
  return rows;
}

Result<std::vector<ProjectUse>> Readers::projects(const std::string& after) {
  std::vector<ProjectUse> found;
  const auto read = [&](Reader& reader) { return reader.read_projects(after, found); };
  FLOWSTORE_TRY_STATUS(with_reader(read));
  return found;
}

Result<std::optional<std::chrono::system_clock::time_point>> Readers::last_change(
    const std::string& project) {
  std::optional<std::chrono::system_clock::time_point> found;
  const auto read = [&](Reader& reader) { return reader.find_last_change(project, found); };
  FLOWSTORE_TRY_STATUS(with_reader(read));
  return found;
}

Status Readers::probe() {
  const RowKey nobody;
  FLOWSTORE_TRY_STATUS(values(nobody));
  return {};
}

}  // namespace flowstore::context::sqlite
