// What the two databases do without a server in front: the statements of the context store, as
// durable, as many in flight, in a loop of this process. No HTTP, no tokens, no JSON, no quotas, no
// locks: an upper bound.
//
//   raw_context sqlite|postgres FILE|CONNINFO [WORK] BYTES [CLIENTS] SECONDS
//
// WORK is set, get, cache (as if not said) or page; CLIENTS are 64 if not said. Prints requests per
// second. Makes its table where there is none and fills it: 20 projects of 20 scopes for reading,
// 200 projects for writing.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <libpq-fe.h>
#include <sqlite3.h>

namespace {

constexpr int kReadProjects = 20;
constexpr int kScopes = 20;
constexpr int kWriteProjects = 200;
constexpr int kDocument = 1024;
// As many writes as clients wait share a transaction, and so a wait for the disk.
constexpr int kMostTogether = 64;
constexpr std::size_t kMostTogetherBytes = 2 * 1024 * 1024;
constexpr int kConnections = 8;

struct Work {
  std::string kind;
  std::size_t bytes;
  int clients;
  std::chrono::duration<double> time;

  bool writes() const { return kind == "set" || kind == "cache"; }
};

std::string document(std::size_t bytes) {
  return R"({"value":")" + std::string(bytes > 12 ? bytes - 12 : 1, 'x') + R"("})";
}

// Puts a number into a document. SQLite does not write what is there already.
void vary(std::string& text, long number) {
  const std::string digits = std::to_string(1'000'000 + number % 1'000'000);
  text.replace(std::min<std::size_t>(text.size() - 10, 100), digits.size(), digits);
}

std::string read_project(int i) { return "r" + std::to_string(i % kReadProjects); }
std::string write_project(int i) { return "w" + std::to_string(i % kWriteProjects); }
std::string scope(int i) { return "s" + std::to_string(i % kScopes) + ".flow"; }
std::string write_scope(const Work& work) {
  return work.kind == "set" ? "s0.flow" : "c" + std::to_string(work.bytes) + ".flow";
}

int together(const Work& work, int most) {
  const auto fitting = static_cast<int>(kMostTogetherBytes / std::max<std::size_t>(work.bytes, 1));
  return std::max(1, std::min({work.clients, most, fitting}));
}

// Runs `step`, which does some requests and says how many, on as many threads; gives requests per
// second.
template <typename MakeStep>
double measure(const Work& work, int threads, MakeStep make_step) {
  std::atomic<long> done{0};
  std::atomic<bool> is_over{false};
  std::vector<std::thread> running;
  const auto start = std::chrono::steady_clock::now();
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      auto step = make_step(t);
      while (!is_over) done += step();
    });
  }
  std::this_thread::sleep_for(work.time);
  const long count = done;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  is_over = true;
  for (std::thread& thread : running) thread.join();
  return static_cast<double>(count) / taken.count();
}

// ---------------------------------------------------------------- SQLite
void check(sqlite3* db, int code) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
    throw std::runtime_error(sqlite3_errmsg(db));
}

class Sqlite {
 public:
  explicit Sqlite(const std::string& file) {
    check(db_,
          sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr));
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000");
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;
  ~Sqlite() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }

  void run(const char* sql) { check(db_, sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(db_, sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    statements_.push_back(statement);
    return statement;
  }

  // Runs a statement to its end; gives the bytes of the last column of its rows.
  std::size_t go(sqlite3_stmt* statement, const std::vector<std::string>& parameters) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      sqlite3_bind_text64(statement, static_cast<int>(i) + 1, parameters[i].data(),
                          parameters[i].size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    std::size_t bytes = 0;
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement))
      bytes += static_cast<std::size_t>(
          sqlite3_column_bytes(statement, sqlite3_column_count(statement) - 1));
    check(db_, code);
    sqlite3_reset(statement);
    return bytes;
  }

 private:
  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

constexpr const char* kSqliteInsert =
    "INSERT INTO `Contexts` (`project`, `scope`, `values`, `createdAt`, `updatedAt`)"
    " VALUES (?1, ?2, ?3, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00')"
    " ON CONFLICT DO NOTHING";

void fill_sqlite(const std::string& file, const Work& work) {
  Sqlite db(file);
  db.run(
      "CREATE TABLE IF NOT EXISTS `Contexts` (`id` INTEGER PRIMARY KEY AUTOINCREMENT,"
      " `project` VARCHAR(255) NOT NULL, `scope` VARCHAR(255) NOT NULL, `values` JSON NOT NULL,"
      " `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL, UNIQUE (`project`, `scope`));"
      "CREATE INDEX IF NOT EXISTS raw_project ON `Contexts` (`project`); BEGIN");
  sqlite3_stmt* const insert = db.prepare(kSqliteInsert);
  for (int i = 0; i < kReadProjects * kScopes; ++i)
    db.go(insert, {read_project(i / kScopes), scope(i), document(kDocument)});
  for (int i = 0; i < kWriteProjects; ++i) {
    db.go(insert, {write_project(i), "s0.flow", document(kDocument)});
    if (work.kind == "cache") db.go(insert, {write_project(i), write_scope(work), "{}"});
  }
  db.run("COMMIT");
}

double measure_sqlite(const std::string& file, const Work& work) {
  fill_sqlite(file, work);
  const std::string text = document(work.kind == "set" ? kDocument : work.bytes);
  const int threads = work.writes() || work.clients == 1
                          ? 1
                          : static_cast<int>(std::thread::hardware_concurrency());
  return measure(work, threads, [&](int t) {
    auto db = std::make_shared<Sqlite>(file);
    sqlite3_stmt* const get =
        db->prepare("SELECT `values` FROM `Contexts` WHERE `project` = ?1 AND `scope` = ?2");
    sqlite3_stmt* const count = db->prepare("SELECT COUNT(*) FROM `Contexts` WHERE `project` = ?1");
    sqlite3_stmt* const page = db->prepare(
        "SELECT `id`, `scope`, `values` FROM `Contexts` WHERE `project` = ?1 AND `id` > 0 ORDER BY "
        "`id` LIMIT 20");
    sqlite3_stmt* const put = db->prepare(
        "UPDATE `Contexts` SET `values` = ?3, `updatedAt` = '2026-01-01 00:00:00.000 +00:00' WHERE "
        "`project` = ?1 AND `scope` = ?2");
    return [=, &work, i = t * 7, text = text]() mutable -> long {
      if (!work.writes()) {
        ++i;
        if (work.kind == "get") {
          db->go(get, {read_project(i), scope(i / kReadProjects)});
        } else {
          db->go(count, {read_project(i)});
          db->go(page, {read_project(i)});
        }
        return 1;
      }
      const int writes = together(work, kMostTogether);
      db->run("BEGIN IMMEDIATE");
      for (int n = 0; n < writes; ++n) {
        const std::string project = write_project(++i);
        if (work.kind == "set") db->go(get, {project, "s0.flow"});
        vary(text, i);
        db->go(put, {project, write_scope(work), text});
      }
      db->run("COMMIT");
      return writes;
    };
  });
}

// ---------------------------------------------------------------- PostgreSQL
class Postgres {
 public:
  explicit Postgres(const std::string& where) : connection_(PQconnectdb(where.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK)
      throw std::runtime_error(PQerrorMessage(connection_));
  }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;
  ~Postgres() { PQfinish(connection_); }

  void run(const char* sql) {
    PGresult* const result = PQexec(connection_, sql);
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
      throw std::runtime_error(PQerrorMessage(connection_));
  }
  void prepare(const char* name, const char* sql) {
    PQclear(PQprepare(connection_, name, sql, 0, nullptr));
  }
  void start_pipeline() { PQenterPipelineMode(connection_); }

  // Puts a prepared statement into the pipeline.
  void send(const char* name, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
    for (const std::string& parameter : parameters) {
      values.push_back(parameter.data());
      lengths.push_back(static_cast<int>(parameter.size()));
      formats.push_back(1);  // a text as it is; spares counting its characters
    }
    if (PQsendQueryPrepared(connection_, name, static_cast<int>(values.size()), values.data(),
                            lengths.data(), formats.data(), 1) == 0)
      throw std::runtime_error(PQerrorMessage(connection_));
    ++pending_;
  }

  // Waits for everything that was sent.
  void finish() {
    PQpipelineSync(connection_);
    for (bool is_synced = false; !is_synced;) {
      PGresult* const result = PQgetResult(connection_);
      if (result == nullptr) continue;
      const ExecStatusType status = PQresultStatus(result);
      is_synced = status == PGRES_PIPELINE_SYNC;
      PQclear(result);
      if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC)
        throw std::runtime_error(PQerrorMessage(connection_));
    }
    pending_ = 0;
  }

 private:
  PGconn* connection_;
  int pending_ = 0;
};

void prepare_all(Postgres& db) {
  db.prepare("begin", "BEGIN");
  db.prepare("commit", "COMMIT");
  db.prepare("get", R"(SELECT "values" FROM "Contexts" WHERE "project" = $1 AND "scope" = $2)");
  db.prepare("look",
             R"(SELECT "values" FROM "Contexts" WHERE "project" = $1 AND "scope" = $2 FOR UPDATE)");
  db.prepare("count", R"(SELECT count(*) FROM "Contexts" WHERE "project" = $1)");
  db.prepare(
      "page",
      R"(SELECT "id", "scope", "values" FROM "Contexts" WHERE "project" = $1 AND "id" > 0 ORDER BY "id" LIMIT 20)");
  db.prepare(
      "put",
      R"(UPDATE "Contexts" SET "values" = $3::json, "updatedAt" = now() WHERE "project" = $1 AND "scope" = $2)");
  db.prepare(
      "insert",
      R"(INSERT INTO "Contexts" ("project", "scope", "values", "createdAt", "updatedAt") VALUES ($1, $2, $3::json, now(), now()) ON CONFLICT DO NOTHING)");
}

void fill_postgres(const std::string& where, const Work& work) {
  Postgres db(where);
  db.run(
      R"(CREATE TABLE IF NOT EXISTS "Contexts" ("id" SERIAL, "project" VARCHAR(255) NOT NULL, "scope" VARCHAR(255) NOT NULL,
      "values" JSON NOT NULL, "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL,
      UNIQUE ("project","scope"), PRIMARY KEY ("id")); CREATE INDEX IF NOT EXISTS raw_project ON "Contexts" ("project", "id"))");
  prepare_all(db);
  db.start_pipeline();
  db.send("begin", {});
  for (int i = 0; i < kReadProjects * kScopes; ++i) {
    db.send("insert", {read_project(i / kScopes), scope(i), document(kDocument)});
    if (i % 50 == 0) db.finish();
  }
  for (int i = 0; i < kWriteProjects; ++i) {
    db.send("insert", {write_project(i), "s0.flow", document(kDocument)});
    if (work.kind == "cache") db.send("insert", {write_project(i), write_scope(work), "{}"});
    if (i % 50 == 0) db.finish();
  }
  db.send("commit", {});
  db.finish();
}

double measure_postgres(const std::string& where, const Work& work) {
  fill_postgres(where, work);
  const std::string text = document(work.kind == "set" ? kDocument : work.bytes);
  const int connections = std::min(work.clients, kConnections);
  const int each =
      work.writes() ? together(work, work.clients / connections) : work.clients / connections;
  return measure(work, connections, [&](int t) {
    auto db = std::make_shared<Postgres>(where);
    prepare_all(*db);
    db->run("SET default_toast_compression = lz4");
    db->start_pipeline();
    // Connections write to different projects, so that none waits for another's rows.
    return [=, &work, i = 0, text = text]() mutable -> long {
      const auto project = [&](int n) { return write_project(t + connections * n); };
      if (!work.writes()) {
        for (int n = 0; n < each; ++n) {
          ++i;
          if (work.kind == "get") {
            db->send("get", {read_project(i + t), scope(i / kReadProjects)});
          } else {
            db->send("count", {read_project(i + t)});
            db->send("page", {read_project(i + t)});
          }
        }
        db->finish();
        return each;
      }
      db->send("begin", {});
      if (work.kind == "set") {
        for (int n = 0; n < each; ++n) db->send("look", {project(i + n), "s0.flow"});
        db->finish();
      }
      vary(text, i);
      for (int n = 0; n < each; ++n) db->send("put", {project(i + n), write_scope(work), text});
      db->send("commit", {});
      db->finish();
      i += each;
      return each;
    };
  });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 5 && argc != 7)
      throw std::runtime_error(
          "usage: raw_context sqlite|postgres FILE|CONNINFO [set|get|cache|page] BYTES [CLIENTS] "
          "SECONDS");
    const bool is_short = argc == 5;
    const Work work{is_short ? "cache" : argv[3], std::stoul(argv[is_short ? 3 : 4]),
                    is_short ? 64 : std::stoi(argv[5]),
                    std::chrono::duration<double>(std::stod(argv[argc - 1]))};
    const std::string where = argv[2];
    const bool is_sqlite = argv[1] == std::string("sqlite");
    std::cout << (is_sqlite ? measure_sqlite(where, work) : measure_postgres(where, work)) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "raw_context: " << error.what() << '\n';
    return 1;
  }
}
