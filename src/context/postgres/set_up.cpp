#include "context/postgres/set_up.h"

#include <array>
#include <utility>

#include "context/postgres/statements.h"

namespace flowstore::context::postgres {
namespace {

// One row, always. Everything lives in the schema in which "Contexts" is found, or would be made.
constexpr Sql kLookAround{R"(
WITH c AS (SELECT to_regclass('"Contexts"') AS oid),
s AS (SELECT COALESCE((SELECT relnamespace FROM pg_class, c WHERE pg_class.oid = c.oid),
                      to_regnamespace(quote_ident(current_schema()))) AS oid),
u AS (SELECT (SELECT pg_class.oid FROM pg_class, s
              WHERE relname = 'flowstore_usage' AND relnamespace = s.oid) AS oid)
SELECT
  c.oid IS NOT NULL,
  u.oid IS NOT NULL
    AND (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid AND tgenabled IN ('O', 'A')
         AND tgname IN ('flowstore_usage', 'flowstore_usage_all')) = 2,
  COALESCE(has_table_privilege(u.oid, 'SELECT'), false),
  COALESCE((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE pg_class.oid = c.oid), true)
    AND COALESCE(has_schema_privilege(s.oid, 'CREATE'), false),
  EXISTS (SELECT FROM pg_settings
          WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)),
  (SELECT quote_ident(nspname) FROM pg_namespace WHERE pg_namespace.oid = s.oid),
  quote_ident(current_user),
  EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname LIKE 'flowstore\_usage%')
FROM c, s, u)"};

constexpr std::chrono::seconds kLookTime{2};

struct Found {
  Found() = default;
  bool has_table = false;
  bool has_usage = false;
  bool may_read_usage = false;
  bool may_create = false;
  bool has_lz4 = false;
  std::string schema;         // quoted
  std::string user;           // quoted
  bool has_triggers = false;  // some, perhaps switched off
};

// A number of our own, so that two processes do not do this at once.
constexpr Sql kLockSetUp{"SELECT pg_advisory_xact_lock(7165065861825654117)"};

// Not for ever: whoever holds the table would make every old server wait with us. Counting itself
// may take as long as it needs.
constexpr Sql kPatience{
    "SELECT set_config('lock_timeout', '2000', true), set_config('statement_timeout', '0', true)"};

constexpr Sql kMakeTable{R"(
CREATE TABLE IF NOT EXISTS "Contexts" ("id" SERIAL, "project" VARCHAR(255) NOT NULL,
  "scope" VARCHAR(255) NOT NULL, "values" JSON NOT NULL,
  "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL,
  UNIQUE ("project", "scope"), PRIMARY KEY ("id")))"};

// Where @ stands for the schema. Nobody writes between the lock and the end of the transaction, so
// the count is exact, and from then on the trigger adds every difference, whoever makes it. The
// function has its owner's rights and no search path: an old server with a user of its own needs
// none on the new table, and cannot put another table in its place.
constexpr std::array kMakeUsage = {
    R"(LOCK TABLE @."Contexts" IN SHARE ROW EXCLUSIVE MODE)",
    R"(CREATE TABLE IF NOT EXISTS @.flowstore_usage (project varchar(255) PRIMARY KEY,
  chars bigint NOT NULL, rows bigint NOT NULL) WITH (fillfactor = 50))",
    R"(DELETE FROM @.flowstore_usage)",
    R"(INSERT INTO @.flowstore_usage (project, chars, rows)
  SELECT "project", SUM(LENGTH("values"::text)), COUNT(*) FROM @."Contexts" GROUP BY "project")",
    R"(CREATE OR REPLACE FUNCTION @.flowstore_count_usage() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  more bigint;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    DELETE FROM @.flowstore_usage;
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF OLD."project" = NEW."project" THEN
      more := LENGTH(NEW."values"::text) - LENGTH(OLD."values"::text);
      IF more <> 0 THEN
        UPDATE @.flowstore_usage SET chars = chars + more WHERE project = NEW."project";
      END IF;
      RETURN NULL;
    END IF;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    UPDATE @.flowstore_usage SET chars = chars - LENGTH(OLD."values"::text), rows = rows - 1
      WHERE project = OLD."project";
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO @.flowstore_usage AS u (project, chars, rows)
      VALUES (NEW."project", LENGTH(NEW."values"::text), 1)
      ON CONFLICT (project) DO UPDATE SET chars = u.chars + EXCLUDED.chars, rows = u.rows + 1;
  END IF;
  RETURN NULL;
END $$)",
    // Pages in the order of ids, without sorting or walking over the rows of other projects.
    R"(CREATE INDEX IF NOT EXISTS flowstore_project_id ON @."Contexts" ("project", "id"))",
};
constexpr std::array kMakeTriggers = {
    R"(CREATE TRIGGER flowstore_usage AFTER INSERT OR UPDATE OR DELETE ON @."Contexts"
  FOR EACH ROW EXECUTE PROCEDURE @.flowstore_count_usage())",
    R"(CREATE TRIGGER flowstore_usage_all AFTER TRUNCATE ON @."Contexts"
  FOR EACH STATEMENT EXECUTE PROCEDURE @.flowstore_count_usage())",
};

// Only where there are some: they take a lock that waits for an old server which may wait for us.
constexpr std::array kDropTriggers = {
    R"(DROP TRIGGER IF EXISTS flowstore_usage ON @."Contexts")",
    R"(DROP TRIGGER IF EXISTS flowstore_usage_all ON @."Contexts")",
};

std::string in_schema(std::string_view text, const std::string& schema) {
  std::string out;
  for (const char c : text) c == '@' ? out.append(schema) : out.append(1, c);
  return out;
}

Found read_found(const Rows& row) {
  Found found;
  found.has_table = row.flag(0, 0);
  found.has_usage = row.flag(0, 1);
  found.may_read_usage = row.flag(0, 2);
  found.may_create = row.flag(0, 3);
  found.has_lz4 = row.flag(0, 4);
  found.schema = row.text(0, 5);
  found.user = row.text(0, 6);
  found.has_triggers = row.flag(0, 7);
  return found;
}

// The rows of the last statement. A transaction that failed is ended.
Task<std::variant<Rows, Trouble>> run(Connection& connection, Pipeline pipeline, Instant deadline) {
  Connection::Terms terms(deadline, nullptr);
  Answer answer = co_await connection.run(pipeline, std::move(terms));
  if (!answer.trouble) co_return std::move(answer.results.back());
  if (!answer.trouble->is_lost) {
    Pipeline undo;
    undo.add(sql::kRollback);
    Connection::Terms soon(deadline, nullptr);
    co_await connection.run(undo, std::move(soon));
  }
  co_return *std::move(answer.trouble);
}

// A transaction that nobody else sets up beside.
Pipeline begin() {
  Pipeline pipeline;
  pipeline.add(sql::kBegin);
  pipeline.add(kPatience);
  pipeline.add(kLockSetUp);
  return pipeline;
}

Task<std::optional<Trouble>> make_table(Connection& connection, Instant deadline) {
  Pipeline pipeline = begin();
  pipeline.add(kMakeTable);
  pipeline.add(sql::kCommit);
  auto made = co_await run(connection, std::move(pipeline), deadline);
  if (auto* trouble = std::get_if<Trouble>(&made)) co_return std::move(*trouble);
  co_return std::nullopt;
}

Task<std::optional<Trouble>> make_usage(Connection& connection, Instant deadline) {
  Pipeline look = begin();
  look.add(kLookAround);
  auto looked = co_await run(connection, std::move(look), deadline);
  if (auto* trouble = std::get_if<Trouble>(&looked)) co_return std::move(*trouble);
  const Found found = read_found(std::get<Rows>(looked));

  std::vector<std::string> texts;
  if (!found.has_usage) {
    for (const char* text : kMakeUsage) texts.push_back(in_schema(text, found.schema));
    if (found.has_triggers) {
      for (const char* text : kDropTriggers) texts.push_back(in_schema(text, found.schema));
    }
    for (const char* text : kMakeTriggers) texts.push_back(in_schema(text, found.schema));
  }
  std::vector<Sql> statements;
  statements.reserve(texts.size());
  for (const std::string& text : texts) statements.emplace_back(text.c_str());
  Pipeline make;
  for (const Sql& statement : statements) make.add(statement);
  make.add(sql::kCommit);
  auto made = co_await run(connection, std::move(make), deadline);
  if (auto* trouble = std::get_if<Trouble>(&made)) co_return std::move(*trouble);
  co_return std::nullopt;
}

std::string warning_for(const Found& found) {
  if (found.has_usage && !found.may_read_usage) {
    return "The size of a project is summed over its rows at every write that makes it larger, "
           "because flowstore_usage may not be read; run: GRANT SELECT ON " +
           found.schema + ".flowstore_usage TO " + found.user;
  }
  if (!found.has_usage) {
    return "The size of a project is summed over its rows at every write that makes it larger, "
           "because the user may not add a trigger to \"Contexts\"; run: ALTER TABLE " +
           found.schema + ".\"Contexts\" OWNER TO " + found.user + "; GRANT CREATE ON SCHEMA " +
           found.schema + " TO " + found.user + "; and start flowstore again";
  }
  return "";
}

}  // namespace

std::vector<const Sql*> Schema::statements() const {
  std::vector<const Sql*> all = {
      &sql::kBegin,      &sql::kCommit, &sql::kRollback, &sql::kGuard,      &sql::kGuardMany,
      &sql::kLook,       &sql::kUpdate, &sql::kInsert,   &sql::kRemove,     &sql::kScopes,
      &sql::kRead,       &sql::kPage,   &sql::kNth,      &sql::kRemoveMany, &sql::kValues,
      &sql::kLastChange, &sql::kProbe};
  if (counts_usage) {
    all.insert(all.end(), {&sql::kUsage, &sql::kPut, &sql::kCount, &sql::kProjects});
  } else {
    all.insert(all.end(), {&sql::kSum, &sql::kPutSumming, &sql::kCountRows, &sql::kSumProjects});
  }
  return all;
}

Task<std::variant<Schema, Trouble>> set_up(Connection& connection, Instant deadline) {
  Pipeline look;
  look.add(kLookAround);
  const Instant soon = std::chrono::steady_clock::now() + kLookTime;
  auto looked = co_await run(connection, std::move(look), soon);
  if (auto* trouble = std::get_if<Trouble>(&looked)) co_return std::move(*trouble);
  Found found = read_found(std::get<Rows>(looked));

  if (!found.has_table) {
    auto trouble = co_await make_table(connection, deadline);
    if (trouble) co_return *std::move(trouble);
  }
  if (!found.has_usage && found.may_create) {
    auto trouble = co_await make_usage(connection, deadline);
    if (trouble) co_return *std::move(trouble);
    found.has_usage = true;
    found.may_read_usage = true;
  }
  Schema schema;
  schema.counts_usage = found.has_usage && found.may_read_usage;
  schema.has_lz4 = found.has_lz4;
  schema.warning = warning_for(found);
  co_return schema;
}

}  // namespace flowstore::context::postgres
