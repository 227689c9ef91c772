#include <algorithm>

#include "base/log.h"
#include "tools/quantity.h"
#include "tools/usage.h"

namespace flowstore::tools {
namespace {

constexpr std::size_t kBar = 24;
constexpr std::size_t kWidestName = 40;

// The length of a name as a terminal shows it, and the name as it may be shown there.
std::size_t width_of(const std::string& name) {
  return static_cast<std::size_t>(std::count_if(name.begin(), name.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string shown(std::string name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(name.begin(), name.end(), is_control, '?');
  return name;
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t used = width_of(text);
  return used < width ? text + std::string(width - used, ' ') : text;
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

// '#' for files, '+' for context; something is seen of everything that is not nothing.
std::string bar(const Use& use, std::uint64_t largest) {
  const auto part = [largest](std::uint64_t size) -> std::size_t {
    if (size == 0 || largest == 0) return 0;
    const double share = static_cast<double>(size) / static_cast<double>(largest);
    return std::max<std::size_t>(1, static_cast<std::size_t>(share * kBar));
  };
  return std::string(part(use.file_bytes), '#') + std::string(part(use.characters), '+');
}

std::string row(const std::string& name, std::size_t width, const Use& use, std::uint64_t largest) {
  std::string text = padded(shown(name), width) + right(grouped(use.files), 12) +
                     right(human_bytes(use.file_bytes), 10) + right(grouped(use.scopes), 9) +
                     right(grouped(use.characters), 14) + "  " + bar(use, largest);
  while (text.ends_with(' ')) text.pop_back();
  return text + "\n";
}

LogFields fields_of(const Use& use) {
  LogFields fields;
  const auto number = [&fields](const char* name, std::uint64_t value) {
    fields.number(name, static_cast<std::int64_t>(value));
  };
  if (!use.team.empty()) fields.text("team", use.team);
  if (!use.project.empty()) {
    fields.text("project", use.project);
  } else {
    number("projects", use.projects);
  }
  number("files", use.files);
  number("fileBytes", use.file_bytes);
  number("scopes", use.scopes);
  number("contextCharacters", use.characters);
  return fields;
}

std::string array(const std::vector<Use>& all) {
  std::string json = "[";
  for (const Use& use : all) {
    if (json.size() > 1) json += ",";
    json += "{" + fields_of(use).json() + "}";
  }
  return json + "]";
}

}  // namespace

std::string as_text(const Usage& usage) {
  std::size_t width = std::string_view("team, project").size();
  for (const Use& use : usage.projects) {
    width = std::max({width, width_of(use.team), width_of(use.project) + 2});
  }
  width = std::min(width, kWidestName);
  std::string text =
      padded("team, project", width) + "       files     bytes   scopes    characters\n";
  const std::uint64_t largest = usage.teams.empty() ? 0 : usage.teams.front().size();
  for (const Use& team : usage.teams) {
    text += row(team.team, width, team, largest);
    for (const Use& project : usage.projects) {
      if (project.team == team.team) text += row("  " + project.project, width, project, largest);
    }
  }
  return text + row("total", width, usage.total, 0);
}

std::string as_json(const Usage& usage) {
  LogFields fields;
  fields.raw("total", "{" + fields_of(usage.total).json() + "}");
  fields.raw("teams", array(usage.teams)).raw("projects", array(usage.projects));
  return "{" + fields.json() + "}\n";
}

}  // namespace flowstore::tools
