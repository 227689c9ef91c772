// Surroundings: what AWS' own tools look at in the environment of a process.

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flowstore::aws {

// A variable of the environment; nothing if it is not set or empty.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

// One profile, its settings from both files: ~/.aws/credentials and ~/.aws/config.
struct Profile {
  Profile() = default;

  std::optional<std::string> find(std::string_view name) const;

  std::string name;
  bool is_there = false;
  std::string where;  // the files that were looked at, for messages
  std::map<std::string, std::string, std::less<>> settings;
};

// That of AWS_PROFILE, else "default"; files that are not there count as empty. Blocks for two
// small files.
Profile load_profile(const Environment& environment);

// The region of AWS_REGION or of the profile, as AWS' library for JavaScript finds it.
std::optional<std::string> region_of(const Environment& environment);

// The content of a small file without the line breaks at its end. Blocks.
Result<std::string> read_text(const std::string& path);

// "2026-11-23T16:30:00.123Z", to the second; nothing for anything else.
std::optional<std::chrono::system_clock::time_point> parse_time(const std::string& text);

}  // namespace flowstore::aws
