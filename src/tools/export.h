// export: projects, files and context, into one archive.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "tools/archive.h"
#include "tools/session.h"
#include "tools/stores.h"

namespace flowstore::tools {

struct Exported {
  Exported() = default;

  std::uint64_t projects = 0;
  std::uint64_t files = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t scopes = 0;
  // Files that no request can name, such as "a//b" in a bucket; they are left out.
  std::vector<std::string> unreachable;
};

// Writes everything, or the named projects ("team/project"), as archive_names.h says; ends with the
// archive's end. Each file and each scope is one that was there as a whole; what vanished meanwhile
// is left out. not_found: a named project has neither files nor context.
Task<Result<Exported>> export_projects(Stores& stores, ArchiveWriter& archive,
                                       std::vector<std::string> wanted, Session session);

}  // namespace flowstore::tools
