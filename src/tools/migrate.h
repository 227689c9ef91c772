// migrate: everything from one storage to another.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "context/context_store.h"
#include "tools/file_side.h"
#include "tools/session.h"

namespace flowstore::tools {

// A few names, and how many there are.
struct Names {
  void add(std::string name) {
    if (first.size() < kShown) first.push_back(std::move(name));
    ++count;
  }

  static constexpr std::size_t kShown = 20;
  std::vector<std::string> first;
  std::uint64_t count = 0;
};

struct MigrateOptions {
  MigrateOptions() = default;

  std::vector<std::string> projects;  // "team/project"; none: all
  bool is_dry_run = false;
};

struct Migrated {
  Migrated() = default;

  std::uint64_t files = 0;  // copied; with is_dry_run: would be
  std::uint64_t file_bytes = 0;
  std::uint64_t files_same = 0;  // were there already
  std::uint64_t scopes = 0;
  std::uint64_t scopes_same = 0;
  // Were changed in the target after they were changed in the source; left alone.
  Names newer;
  // Are in the target only; left alone.
  Names extra;
  // Could not be copied, and why.
  Names failed;

  // A store that is down or full fails everything, so there is an end to trying.
  static constexpr std::uint64_t kMostFailures = 100;
  bool is_hopeless() const noexcept { return failed.count >= kMostFailures; }

  // Nothing is missing that could have been copied.
  bool is_complete() const noexcept { return newer.count == 0 && failed.count == 0; }
};

// Copies the files that differ, several at a time, each as a whole; reads back what it has written
// and compares digests. What is the same is passed over, which takes reading both. Files of the
// target that are newer stay, and nothing is removed. Goes on after a file that cannot be copied,
// but gives up after many. Adds to `done`, also when it fails or is interrupted.
Task<Status> migrate_files(FileSide& source, FileSide& target, MigrateOptions options,
                           Session session, Migrated& done);

// The same for context, one scope after the other. Scopes have no time: the source always wins.
Task<Status> migrate_context(context::ContextStore& source, context::ContextStore& target,
                             MigrateOptions options, Session session, Migrated& done);

}  // namespace flowstore::tools
