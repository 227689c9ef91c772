// The statements of the driver. Names and dates are those of the old server, which may use the same
// tables at the same time.
//
// Every transaction that writes takes the advisory lock of its projects first, in the order of the
// lock's numbers, then the rows; the trigger takes the row of flowstore_usage last. Nobody waits in
// a circle: the old server takes one row, then that row's usage, and nothing else.

#pragma once

#include <cstdint>

#include "context/postgres/database.h"

namespace flowstore::context::postgres::sql {

inline constexpr Sql kBegin{"BEGIN ISOLATION LEVEL READ COMMITTED"};
inline constexpr Sql kCommit{"COMMIT"};
inline constexpr Sql kRollback{"ROLLBACK"};

// $1 statement_timeout, $2 lock_timeout, $3 a compression method or nothing, $4 project(s).
// Settings end with the transaction, so that a pooler may give the connection to somebody else. A
// project that is held by a process which has stopped, or by a connection that goes nowhere, is
// free again after three seconds, which is longer than any transaction of ours may take.
inline constexpr Sql kGuard{
    "SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),"
    " CASE WHEN $3 <> '' THEN set_config('default_toast_compression', $3, true) END,"
    " set_config('idle_in_transaction_session_timeout', '3000', true),"
    " pg_advisory_xact_lock(hashtextextended($4, 0))"};
inline constexpr Sql kGuardMany{
    "SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),"
    " CASE WHEN $3 <> '' THEN set_config('default_toast_compression', $3, true) END,"
    " set_config('idle_in_transaction_session_timeout', '3000', true),"
    " (SELECT count(*) FROM (SELECT pg_advisory_xact_lock(key) FROM"
    " (SELECT DISTINCT hashtextextended(project, 0) AS key FROM unnest($4::text[]) AS project"
    " ORDER BY key OFFSET 0) AS keys) AS locks)"};

// The values of a row, which nobody else changes until the end of the transaction.
inline constexpr Sql kLook{
    R"(SELECT "values" FROM "Contexts" WHERE "project" = $1 AND "scope" = $2 FOR UPDATE)"};
// Characters that a project holds.
inline constexpr Sql kUsage{"SELECT chars FROM flowstore_usage WHERE project = $1"};
inline constexpr Sql kSum{
    R"(SELECT SUM(LENGTH("values"::text)) FROM "Contexts" WHERE "project" = $1)"};

// $3 values. The date has milliseconds, as JavaScript's.
inline constexpr Sql kUpdate{
    R"(UPDATE "Contexts" SET "values" = $3::json, "updatedAt" = date_trunc('milliseconds', now()))"
    R"( WHERE "project" = $1 AND "scope" = $2)"};
inline constexpr Sql kInsert{
    R"(INSERT INTO "Contexts" ("project", "scope", "values", "createdAt", "updatedAt"))"
    R"( SELECT $1, $2, $3::json, t, t FROM date_trunc('milliseconds', now()) AS t)"};
inline constexpr Sql kRemove{R"(DELETE FROM "Contexts" WHERE "project" = $1 AND "scope" = $2)"};

// $3 values, $4 their characters, $5 the most that the project may hold, or NULL. Gives: whether
// they fit; whether a row was written. Neither means that the row went while we looked.
//
// UPDATE first and INSERT only where there is no row: INSERT .. ON CONFLICT would use up a number
// of the sequence each time, and ids have 31 bits. The length of the old values is asked for only
// when it decides, because they would have to be unpacked.
inline constexpr Sql kPut{R"(
WITH o AS MATERIALIZED (SELECT FROM "Contexts" WHERE "project" = $1 AND "scope" = $2),
f AS MATERIALIZED (SELECT CASE
  WHEN $5::bigint IS NULL THEN true
  WHEN COALESCE((SELECT chars FROM flowstore_usage WHERE project = $1), 0)
       + $4::bigint <= $5::bigint THEN true
  WHEN COALESCE((SELECT LENGTH("values"::text) FROM "Contexts"
            WHERE "project" = $1 AND "scope" = $2), 0) >= $4::bigint THEN true
  ELSE COALESCE((SELECT chars FROM flowstore_usage WHERE project = $1), 0)
       - COALESCE((SELECT LENGTH("values"::text) FROM "Contexts"
            WHERE "project" = $1 AND "scope" = $2), 0)
       + $4::bigint <= $5::bigint END AS fits),
u AS (
  UPDATE "Contexts" SET "values" = $3::json, "updatedAt" = date_trunc('milliseconds', now())
  WHERE "project" = $1 AND "scope" = $2 AND (SELECT fits FROM f) RETURNING 1),
i AS (
  INSERT INTO "Contexts" ("project", "scope", "values", "createdAt", "updatedAt")
  SELECT $1, $2, $3::json, t, t FROM date_trunc('milliseconds', now()) AS t
  WHERE (SELECT fits FROM f) AND NOT EXISTS (SELECT FROM o) RETURNING 1)
SELECT fits, EXISTS (SELECT FROM u) OR EXISTS (SELECT FROM i) FROM f)"};
// The same where there is no flowstore_usage.
inline constexpr Sql kPutSumming{R"(
WITH o AS MATERIALIZED (SELECT FROM "Contexts" WHERE "project" = $1 AND "scope" = $2),
f AS MATERIALIZED (SELECT CASE
  WHEN $5::bigint IS NULL THEN true
  WHEN COALESCE((SELECT LENGTH("values"::text) FROM "Contexts"
            WHERE "project" = $1 AND "scope" = $2), 0) >= $4::bigint THEN true
  ELSE COALESCE((SELECT SUM(LENGTH("values"::text)) FROM "Contexts" WHERE "project" = $1), 0)
       - COALESCE((SELECT LENGTH("values"::text) FROM "Contexts"
            WHERE "project" = $1 AND "scope" = $2), 0)
       + $4::bigint <= $5::bigint END AS fits),
u AS (
  UPDATE "Contexts" SET "values" = $3::json, "updatedAt" = date_trunc('milliseconds', now())
  WHERE "project" = $1 AND "scope" = $2 AND (SELECT fits FROM f) RETURNING 1),
i AS (
  INSERT INTO "Contexts" ("project", "scope", "values", "createdAt", "updatedAt")
  SELECT $1, $2, $3::json, t, t FROM date_trunc('milliseconds', now()) AS t
  WHERE (SELECT fits FROM f) AND NOT EXISTS (SELECT FROM o) RETURNING 1)
SELECT fits, EXISTS (SELECT FROM u) OR EXISTS (SELECT FROM i) FROM f)"};

inline constexpr Sql kScopes{
    R"(SELECT "id", "scope" FROM "Contexts" WHERE "project" = $1 ORDER BY "id" FOR UPDATE)"};
inline constexpr Sql kRemoveMany{
    R"(DELETE FROM "Contexts" WHERE "project" = $1 AND "id" = ANY($2::bigint[]))"};

inline constexpr Sql kRead{
    R"(SELECT "values" FROM "Contexts" WHERE "project" = $1 AND "scope" = $2)"};

// $2 after which id, $3 how many, $4 bytes. Values come along as long as they are not longer than
// that together; the others are NULL, with their size. Only as many are unpacked to find out: the
// size of the others is a guess by what they take up.
inline constexpr Sql kPage{R"(
WITH page AS MATERIALIZED (
  SELECT "id", "scope", "values", pg_column_size("values") AS packed FROM "Contexts"
  WHERE "project" = $1 AND "id" > $2::bigint ORDER BY "id" LIMIT $3::bigint),
sized AS MATERIALIZED (
  SELECT "id", "scope", "values", CASE WHEN SUM(packed) OVER (ORDER BY "id") <= $4::bigint
    THEN octet_length("values"::text) ELSE 4 * packed END AS size FROM page)
SELECT "id", "scope", size,
  CASE WHEN SUM(size) OVER (ORDER BY "id") <= $4::bigint THEN "values" END
FROM sized ORDER BY "id")"};
// The id of the $3rd row after $2.
inline constexpr Sql kNth{
    R"(SELECT "id" FROM "Contexts" WHERE "project" = $1 AND "id" > $2::bigint)"
    R"( ORDER BY "id" OFFSET $3::bigint - 1 LIMIT 1)"};
inline constexpr Sql kValues{
    R"(SELECT "id", "values" FROM "Contexts" WHERE "project" = $1 AND "id" = ANY($2::bigint[]))"};
inline constexpr Sql kCount{"SELECT rows FROM flowstore_usage WHERE project = $1"};
inline constexpr Sql kCountRows{R"(SELECT count(*) FROM "Contexts" WHERE "project" = $1)"};

// Projects behind $1, as many as can be counted in the time of a request.
inline constexpr Sql kProjects{
    "SELECT project, rows, chars FROM flowstore_usage WHERE project > $1 AND rows > 0"
    " ORDER BY project LIMIT 1000"};
inline constexpr Sql kSumProjects{
    R"(SELECT "project", count(*), SUM(LENGTH("values"::text))::bigint FROM "Contexts")"
    R"( WHERE "project" > $1 GROUP BY "project" ORDER BY "project" LIMIT 20)"};

// No row where the latest date is none of a calendar.
inline constexpr Sql kLastChange{
    R"(SELECT EXTRACT(EPOCH FROM MAX("updatedAt"))::bigint FROM "Contexts" WHERE "project" = $1)"
    R"( HAVING isfinite(MAX("updatedAt")))"};

inline constexpr Sql kProbe{R"(SELECT FROM "Contexts" LIMIT 0)"};

}  // namespace flowstore::context::postgres::sql
