#include "cli/help.h"

namespace flowstore::cli {
namespace {

constexpr const char* kProgram =
    R"(flowstore - file storage for fleets of Node-RED (FlowFuse)

Usage: flowstore [COMMAND] [options]

Commands (flowstore COMMAND --help says more):
  serve          run the server; this is what happens without a command
  check          read the configuration, try everything it needs, say what is wrong
  healthcheck    ask the server on this machine whether it is well
  usage          what teams and projects keep
  export         write projects, files and context, into one archive
  import         bring in what export wrote
  migrate        copy everything from one storage to another, while serving
  gc             find, and remove, projects that the platform no longer knows

Options:
  --config FILE  read this file instead of HOME/etc/flowforge-storage.yml
  --home DIR     use this folder as HOME, instead of the one in FLOWFORGE_HOME
  --json         (all commands but serve) print the result as JSON
  --version, --help

Environment: FLOWFORGE_HOME, PORT, NODE_ENV and FF_FS_TEST_CONFIG mean what they mean
to the FlowFuse file server. Options win over the environment, and that over the file.

Examples:
  flowstore --home /opt/flowforge-file-storage
  flowstore check --json

Exit codes: 0 stopped as asked or all is well, 1 could not do it or a check failed, 2 the
command line was wrong, 130 interrupted. docs/commands.md explains the commands.
)";

constexpr const char* kCheck =
    R"(flowstore check - read the configuration, try everything it needs, say what is wrong

Usage: flowstore check [--json] [--config FILE] [--home DIR]

Names every problem of the file with its line and key, and tries the port, the stores, the
platform, the clock and the certificate. Changes nothing that lasts but the empty folder,
file or table of a store that was never used.

A line that begins with "warn" is no failure, but should be looked at.

Examples:
  flowstore check
  flowstore check --config ./storage.yml --json

Exit codes: 0 all is well, 1 something is wrong, 2 the command line was wrong.
)";

constexpr const char* kHealthcheck =
    R"(flowstore healthcheck - ask the server on this machine whether it is well

Usage: flowstore healthcheck [--json] [--config FILE] [--home DIR]

Asks /health on the port of the configuration, on loopback or on the one address that it
listens on, over HTTPS where tls is set. Takes no proxy, and four seconds at most.

Examples:
  flowstore healthcheck
  HEALTHCHECK CMD ["flowstore", "healthcheck"]        (in a Dockerfile)

Exit codes: 0 it is well, 1 it is not or cannot be asked, 2 the command line was wrong.
)";

constexpr const char* kUsage =
    R"(flowstore usage - what teams and projects keep

Usage: flowstore usage [--project TEAM/PROJECT]... [--json] [--config FILE] [--home DIR]

Counts the bytes of all files and the characters of all context, as quotas do, and sorts
teams and projects by them. Context knows no teams: what belongs to a project that has no
files is shown under team "-". Reads only; the server may run meanwhile.

Examples:
  flowstore usage
  flowstore usage --project q1w2e3/6f0c --project q1w2e3/9aa1
  flowstore usage --json | jq -r '.projects[] | [.project, .fileBytes] | @tsv'

Exit codes: 0 counted, 1 could not, 2 the command line was wrong, 130 interrupted.
)";

constexpr const char* kExport =
    R"(flowstore export - write projects, files and context, into one archive

Usage: flowstore export FILE [--project TEAM/PROJECT]... [--json] [--config FILE] [--home DIR]

Writes a tar archive, compressed with zstd, that `flowstore import` and `tar --zstd -x` read.
Without --project everything goes in. "-" as FILE is standard output. FILE appears when it is
whole, and may not exist before.

The server may run meanwhile: each file and each scope is one that was there as a whole, but
two of them may be of different moments. Stop the server for one moment of all of them.

Examples:
  flowstore export all.tar.zst
  flowstore export --project q1w2e3/6f0c line4.tar.zst
  flowstore export - | ssh backup 'cat > flowstore.tar.zst'

Exit codes: 0 written, 1 could not, 2 the command line was wrong, 130 interrupted.
)";

constexpr const char* kImport =
    R"(flowstore import - bring in what `flowstore export` wrote

Usage: flowstore import FILE [--project TEAM/PROJECT]... [--dry-run] [--replace] [--json]
                        [--config FILE] [--home DIR]

The archive is read to its end and checked before anything is changed. What is there already
with the same content is left alone; with another content it is a conflict, and nothing is
imported, unless --replace says that the archive wins. So it may be run again after it was
interrupted. Quotas are not looked at.

  --project T/P  import this project only
  --dry-run      check the archive and say what would be done
  --replace      files and scopes of the archive replace those that are there

Examples:
  flowstore import all.tar.zst --dry-run
  flowstore import line4.tar.zst --replace

Exit codes: 0 imported, 1 could not, 2 the command line was wrong, 130 interrupted.
)";

constexpr const char* kMigrate =
    R"(flowstore migrate - copy everything from one storage to another, while serving

Usage: flowstore migrate [--from FILE | --from-tree DIR] [--to FILE | --to-tree DIR]
                         [--project TEAM/PROJECT]... [--dry-run] [--json]

From one configuration to another; the one that is not named is that of the service. Files go
between localfs and s3, context between SQLite and PostgreSQL, in any direction. What is there
already with the same content is passed over, so it may be interrupted and run again; what it
copied is read back and compared by SHA-256. Nothing is removed, on either side.

  --from FILE, --to FILE  configurations
  --from-tree DIR         the files of one project as they are: FlowFuse's /data/storage
  --to-tree DIR           the same, to write to
  --dry-run               say what differs, change nothing

While the server writes, run it again until it copies nothing; then stop the server, run it
once more, and start the server with the new configuration.

Examples:
  flowstore migrate --to s3.yml --dry-run
  flowstore migrate --from-tree /data/storage --project q1w2e3/6f0c

Exit codes: 0 all is there, 1 not all of it, 2 the command line was wrong, 130 interrupted.
)";

constexpr const char* kGc =
    R"(flowstore gc - find, and remove, projects that the platform no longer knows

Usage: flowstore gc --live FILE [--delete COUNT] [--quiet-days DAYS] [--json]
                    [--config FILE] [--home DIR]

The platform answers 401 for a project that is gone and for a token that is wrong alike, so it
cannot be asked: give the ids of all projects that live, one a line, in a file or ("-") on
standard input. docs/commands.md says how to get them. Removes nothing without --delete.

  --live FILE        the ids of all projects that live
  --delete COUNT     remove them, if there are exactly as many as the run without it found
  --quiet-days DAYS  keep projects whose files or context changed since so many days (7)

Examples:
  psql -At -c 'SELECT id FROM "Projects"' flowforge > live.txt && flowstore gc --live live.txt
  flowstore gc --live live.txt --delete 3

Exit codes: 0 done, 1 could not or would not, 2 the command line was wrong, 130 interrupted.
)";

}  // namespace

const char* help_about(Command command) {
  switch (command) {
    case Command::check:
      return kCheck;
    case Command::healthcheck:
      return kHealthcheck;
    case Command::usage:
      return kUsage;
    case Command::export_archive:
      return kExport;
    case Command::import:
      return kImport;
    case Command::migrate:
      return kMigrate;
    case Command::gc:
      return kGc;
    case Command::serve:
    case Command::version:
      break;
  }
  return kProgram;
}

}  // namespace flowstore::cli
