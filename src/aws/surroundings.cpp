// Blocking calls: small files, now and then.
#include "aws/surroundings.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "base/small_file.h"

namespace flowstore::aws {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// "[profile x]" in the config file is "[x]" in the other.
std::string_view section_name(std::string_view line) {
  std::string_view name = trimmed(line.substr(1, line.find(']') - 1));
  if (name.starts_with("profile ")) name = trimmed(name.substr(8));
  return name;
}

// Adds the settings of the profile; the first of two with one name counts.
void read_settings(std::string_view text, Profile& profile) {
  bool is_ours = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view raw = text.substr(0, end);
    const std::string_view line = trimmed(raw);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      is_ours = section_name(line) == profile.name;
      profile.is_there = profile.is_there || is_ours;
      continue;
    }
    // Indented lines belong to a setting that has several.
    const bool is_nested = raw.front() == ' ' || raw.front() == '\t';
    const std::size_t equals = line.find('=');
    if (!is_ours || is_nested || equals == std::string_view::npos) continue;
    profile.settings.emplace(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
  }
}

std::string file_in_home(const Environment& environment, const char* variable, const char* name) {
  if (auto path = environment(variable)) return *std::move(path);
  return environment("HOME").value_or("/root") + "/.aws/" + name;
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::optional<std::string> Profile::find(std::string_view setting) const {
  const auto found = settings.find(setting);
  if (found == settings.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

Profile load_profile(const Environment& environment) {
  Profile profile;
  profile.name = environment("AWS_PROFILE").value_or("default");
  for (const auto& path : {file_in_home(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
                           file_in_home(environment, "AWS_CONFIG_FILE", "config")}) {
    profile.where.append(profile.where.empty() ? "" : " and ").append(path);
    const auto text = read_text(path);
    if (text) read_settings(*text, profile);
  }
  return profile;
}

std::optional<std::string> region_of(const Environment& environment) {
  if (auto region = environment("AWS_REGION")) return region;
  return load_profile(environment).find("region");
}

Result<std::string> read_text(const std::string& path) {
  auto text = read_small_file(path);
  if (!text) return Error(ErrorKind::not_found, "", path + " cannot be read");
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return *std::move(text);
}

std::optional<std::chrono::system_clock::time_point> parse_time(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const int fields = std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d", &year, &month, &day,
                                 &hour, &minute, &second);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (fields != 6 || !date.ok()) return std::nullopt;
  return nearest_time(std::chrono::sys_days(date) + std::chrono::hours(hour) +
                      std::chrono::minutes(minute) + std::chrono::seconds(second));
}

}  // namespace flowstore::aws
