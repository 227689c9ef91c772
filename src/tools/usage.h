// usage: what teams and projects keep.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "tools/session.h"
#include "tools/stores.h"

namespace flowstore::tools {

// Of a project, or of all projects of a team together.
struct Use {
  Use() = default;

  std::string team;     // "-": only context is known, which knows no teams
  std::string project;  // empty: of the team
  std::uint64_t projects = 0;
  std::uint64_t files = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t scopes = 0;
  std::uint64_t characters = 0;

  std::uint64_t size() const noexcept { return file_bytes + characters; }
  void add(const Use& other);
};

struct Usage {
  Usage() = default;

  std::vector<Use> teams;     // the largest first
  std::vector<Use> projects;  // the same
  Use total;
};

// Counts everything, or, where there are any, the named projects ("team/project"). Reads only.
Task<Result<Usage>> count_usage(Stores& stores, std::vector<std::string> wanted, Session session);

// A table with bars, for people; one JSON object on one line, for machines.
std::string as_text(const Usage& usage);
std::string as_json(const Usage& usage);

}  // namespace flowstore::tools
