// The statements of what processes share about files.
//
// All tables are unlogged: they are a memory of what the bucket holds, cost no write to a disk, and
// are empty after a crash of the server, which only means that projects are counted again.

#pragma once

#include "postgres/pipeline.h"

namespace flowstore::files::shared::sql {

using postgres::Sql;

inline constexpr Sql kBegin{"BEGIN"};
// A number of our own, so that two processes do not do this at once.
inline constexpr Sql kLockSetUp{"SELECT pg_advisory_xact_lock(7165065861825654118)"};
inline constexpr Sql kCommit{"COMMIT"};
inline constexpr Sql kRollback{"ROLLBACK"};
inline constexpr Sql kLookForTables{
    "SELECT to_regclass('flowstore_file_usage') IS NOT NULL"
    " AND to_regclass('flowstore_file_changes') IS NOT NULL"
    " AND to_regclass('flowstore_file_locks') IS NOT NULL"};

// A project's name begins with its bucket's: one database may serve several, also one after the
// other.
//
// Ids of changes are drawn by lot: a sequence might begin anew with the tables, and give a number
// that somebody still holds.
//
// `used`: bytes, those of changes under way included; NULL: not counted. `epoch` counts the counts.
// `announced`: bytes that were ever announced, to see what came during a count.
inline constexpr Sql kMakeUsage{
    "CREATE UNLOGGED TABLE IF NOT EXISTS flowstore_file_usage (project text PRIMARY KEY,"
    " used bigint, epoch bigint NOT NULL DEFAULT 0, announced bigint NOT NULL DEFAULT 0,"
    " changes bigint NOT NULL DEFAULT 0, counted_at timestamptz, counting_until timestamptz)"
    " WITH (fillfactor = 50)"};
inline constexpr Sql kMakeChanges{
    "CREATE UNLOGGED TABLE IF NOT EXISTS flowstore_file_changes"
    " (id bigint PRIMARY KEY DEFAULT (random() * 4611686018427387904)::bigint,"
    " project text NOT NULL, epoch bigint NOT NULL, growth bigint NOT NULL,"
    " begun_at timestamptz NOT NULL DEFAULT now())"};
inline constexpr Sql kIndexChanges{
    "CREATE INDEX IF NOT EXISTS flowstore_file_changes_project ON flowstore_file_changes "
    "(project)"};
inline constexpr Sql kMakeLocks{
    "CREATE UNLOGGED TABLE IF NOT EXISTS flowstore_file_locks (name text PRIMARY KEY,"
    " holder text NOT NULL, expires timestamptz NOT NULL)"};

// $1 project, $2 growth, $3 quota. Gives the change's id, if the growth fits: it is then counted.
// Nothing also if the project has not been counted.
inline constexpr Sql kAnnounce{R"(
WITH u AS (UPDATE flowstore_file_usage
  SET used = used + $2::bigint, announced = announced + $2::bigint, changes = changes + 1
  WHERE project = $1 AND used IS NOT NULL AND used + $2::bigint < $3::bigint
  RETURNING epoch)
INSERT INTO flowstore_file_changes (project, epoch, growth) SELECT $1, epoch, $2::bigint FROM u
RETURNING id)"};
// The same for what is never refused; the project may be unknown.
inline constexpr Sql kAnnounceFreely{R"(
WITH u AS (INSERT INTO flowstore_file_usage AS old (project, announced, changes)
  VALUES ($1, $2::bigint, 1)
  ON CONFLICT (project) DO UPDATE
  SET used = old.used + $2::bigint, announced = old.announced + $2::bigint, changes = old.changes + 1
  RETURNING epoch)
INSERT INTO flowstore_file_changes (project, epoch, growth) SELECT $1, epoch, $2::bigint FROM u
RETURNING id)"};

// $1 id, $2 by how much the project grew. What is given back of the announced bytes is only taken
// off if the project has not been counted meanwhile: a count may have seen the change already. So a
// sum may be too high for a while, and never is too low.
inline constexpr Sql kEnd{R"(
WITH c AS (DELETE FROM flowstore_file_changes WHERE id = $1::bigint
  RETURNING project, epoch, growth)
UPDATE flowstore_file_usage AS u SET changes = changes + 1,
  used = CASE WHEN used IS NOT NULL THEN
    greatest(used + CASE WHEN u.epoch = c.epoch THEN $2::bigint - c.growth
                         ELSE greatest($2::bigint - c.growth, 0) END, 0) END
FROM c WHERE u.project = c.project)"};
// $1 id. The growth stays counted, and the next who asks has it checked.
inline constexpr Sql kDoubt{R"(
WITH c AS (DELETE FROM flowstore_file_changes WHERE id = $1::bigint RETURNING project)
UPDATE flowstore_file_usage AS u SET changes = changes + 1, counted_at = '-infinity'
FROM c WHERE u.project = c.project)"};
// $1 project, $2 growth, of a change that was made already and that nobody had to allow.
inline constexpr Sql kAdd{R"(
UPDATE flowstore_file_usage SET changes = changes + 1, announced = announced + $2::bigint,
  used = used + $2::bigint WHERE project = $1)"};
// $1 project. What the sum is may be wrong.
inline constexpr Sql kForget{
    "UPDATE flowstore_file_usage SET counted_at = '-infinity' WHERE project = $1"};

// $1 project, $2 seconds. Gives the bytes, and whether the count is older than that, or somebody
// has died within a change since.
inline constexpr Sql kUsed{R"(
SELECT used, counted_at IS NULL OR counted_at < now() - make_interval(secs => $2::bigint)
  OR EXISTS (SELECT FROM flowstore_file_changes
             WHERE project = $1 AND begun_at < now() - interval '60 seconds')
FROM flowstore_file_usage WHERE project = $1)"};

// $1 project, $2 seconds that a count may take at most. Whoever gets a row counts: how many bytes
// had been announced and how many changes there had been; and the growth of those under way, and
// whether there are any. Those of processes that have died are dropped: their growth stays counted.
inline constexpr Sql kBeginCount{R"(
WITH d AS (DELETE FROM flowstore_file_changes
  WHERE project = $1 AND begun_at < now() - interval '60 seconds'),
u AS (INSERT INTO flowstore_file_usage AS old (project, counting_until)
  VALUES ($1, now() + make_interval(secs => $2::bigint))
  ON CONFLICT (project) DO UPDATE SET counting_until = excluded.counting_until
  WHERE old.counting_until IS NULL OR old.counting_until < now()
  RETURNING announced, changes)
SELECT announced, changes,
  (SELECT coalesce(sum(growth), 0) FROM flowstore_file_changes
   WHERE project = $1 AND begun_at >= now() - interval '60 seconds'),
  (SELECT count(*) FROM flowstore_file_changes
   WHERE project = $1 AND begun_at >= now() - interval '60 seconds')
FROM u)"};
// $1 project, $2 bytes found, $3 announced and $4 changes at the beginning, $5 growth and $6 number
// of the changes that were under way then, $7 age in seconds of a count that is not exact. What
// overlapped the count is added to it, whether it was seen or not. Such a bound is taken only if it
// is lower than what was known, or nothing was.
inline constexpr Sql kEndCount{R"(
WITH b AS (SELECT project, $2::bigint + $5::bigint + announced - $3::bigint AS bound,
    changes = $4::bigint AND $6::bigint = 0 AS is_exact
  FROM flowstore_file_usage WHERE project = $1 FOR UPDATE)
UPDATE flowstore_file_usage AS u SET counting_until = NULL,
  used = CASE WHEN b.is_exact OR u.used IS NULL OR b.bound < u.used THEN b.bound ELSE u.used END,
  epoch = CASE WHEN b.is_exact OR u.used IS NULL OR b.bound < u.used THEN epoch + 1 ELSE epoch END,
  counted_at = CASE WHEN b.is_exact THEN now() ELSE now() - make_interval(secs => $7::bigint) END
FROM b WHERE u.project = b.project RETURNING u.used)"};
inline constexpr Sql kGiveUpCount{
    "UPDATE flowstore_file_usage SET counting_until = NULL WHERE project = $1"};

// $1 name, $2 holder, $3 seconds. A row: it is the holder's now.
inline constexpr Sql kLock{R"(
INSERT INTO flowstore_file_locks AS old (name, holder, expires)
VALUES ($1, $2, now() + make_interval(secs => $3::bigint))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
WHERE old.expires < now() OR old.holder = excluded.holder RETURNING 1)"};
inline constexpr Sql kUnlock{"DELETE FROM flowstore_file_locks WHERE name = $1 AND holder = $2"};

}  // namespace flowstore::files::shared::sql
