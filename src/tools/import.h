// import: what export wrote, into the stores.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "tools/session.h"
#include "tools/stores.h"

namespace flowstore::tools {

struct ImportOptions {
  ImportOptions() = default;

  std::string archive;                // a file, which is read twice
  std::vector<std::string> projects;  // "team/project"; none: all
  bool is_dry_run = false;
  bool replaces = false;  // what is there with another content; else that is a conflict
};

struct Imported {
  Imported() = default;

  std::uint64_t files = 0;  // written; with is_dry_run: would be
  std::uint64_t file_bytes = 0;
  std::uint64_t scopes = 0;
  std::uint64_t same = 0;              // files and scopes that were there already
  std::vector<std::string> conflicts;  // their names in the archive; then nothing was written
};

// Checks the whole archive, then what is there, then writes, one file or scope after the other,
// each as a whole. Run again, it goes on where it ended. Where there are conflicts nothing is
// written.
Task<Result<Imported>> import_archive(Stores& stores, ImportOptions options, Session session);

}  // namespace flowstore::tools
