// gc: projects that the platform no longer knows.

#pragma once

#include <chrono>
#include <cstdint>
#include <istream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "tools/session.h"
#include "tools/stores.h"

namespace flowstore::tools {

// The ids of all projects that live, one a line. Fails, with the line, about anything that can be
// no id, a last line that does not end, and a list without any: a list that was cut off, or is an
// error message, must take nobody's data away. `name` is for the message.
Result<std::set<std::string>> read_live_list(std::istream& list, const std::string& name);

struct GcOptions {
  GcOptions() = default;

  std::set<std::string> live;
  std::chrono::days quiet{7};  // what has files or context that were changed since stays
  // Remove them, if there are exactly so many; absent: only look.
  std::optional<std::uint64_t> deletions;
};

// A project that keeps something and is not alive.
struct Orphan {
  Orphan() = default;

  std::string team;  // "-": it has only context
  std::string project;
  std::uint64_t files = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t scopes = 0;
  std::uint64_t characters = 0;
  std::chrono::system_clock::time_point changed{};  // its latest file or scope
  bool is_removed = false;
};

struct Garbage {
  Garbage() = default;

  std::vector<Orphan> orphans;  // to be removed
  std::vector<Orphan> young;    // not alive, but changed of late
  std::uint64_t alive = 0;      // projects that keep something
};

// Finds what no living project owns and, if so asked, removes it: files first, then context. Adds
// to `found`, also when it is interrupted. Refuses to remove anything if the list knows none of the
// stored projects, or if there are more or fewer to remove than expected. Run again, it goes on.
Task<Status> collect_garbage(Stores& stores, GcOptions options, Session session, Garbage& found);

}  // namespace flowstore::tools
