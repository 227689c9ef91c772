#include <fstream>
#include <iostream>
#include <ostream>
#include <utility>

#include "base/log.h"
#include "base/log_text.h"
#include "cli/commands.h"
#include "cli/workplace.h"
#include "tools/gc.h"
#include "tools/quantity.h"
#include "tools/wait.h"

namespace flowstore::cli {
namespace {

Result<std::set<std::string>> live_projects(const std::string& file) {
  if (file == "-") return tools::read_live_list(std::cin, "standard input");
  std::ifstream list(file);
  if (!list) return Error(ErrorKind::invalid, "live", file + ": cannot be read");
  return tools::read_live_list(list, file);
}

std::string json_of(const std::vector<tools::Orphan>& orphans) {
  std::string json = "[";
  for (const tools::Orphan& orphan : orphans) {
    if (json.size() > 1) json += ",";
    LogFields fields;
    const auto number = [&fields](const char* name, std::uint64_t value) {
      fields.number(name, static_cast<std::int64_t>(value));
    };
    fields.text("team", orphan.team).text("project", orphan.project);
    number("files", orphan.files);
    number("fileBytes", orphan.file_bytes);
    number("scopes", orphan.scopes);
    number("contextCharacters", orphan.characters);
    std::string changed;
    append_time(changed, orphan.changed);
    fields.text("changed", changed);
    fields.raw("removed", orphan.is_removed ? "true" : "false");
    json += "{" + fields.json() + "}";
  }
  return json + "]";
}

std::string json_of(const tools::Garbage& found, bool is_whole) {
  LogFields fields;
  fields.raw("ok", is_whole ? "true" : "false");
  fields.raw("orphans", json_of(found.orphans)).raw("young", json_of(found.young));
  return "{" + fields.json() + "}\n";
}

std::string line_of(const tools::Orphan& orphan, const std::string& what) {
  return what + orphan.team + "/" + orphan.project + "  " + tools::counted(orphan.files, "file") +
         " of " + tools::human_bytes(orphan.file_bytes) + ", " +
         tools::counted(orphan.scopes, "scope") + "\n";
}

std::string text_of(const tools::Garbage& found, bool removes) {
  std::string text;
  for (const tools::Orphan& orphan : found.young) text += line_of(orphan, "keep    ");
  for (const tools::Orphan& orphan : found.orphans) {
    text += line_of(orphan, orphan.is_removed ? "removed " : "orphan  ");
  }
  if (!found.young.empty())
    text += "keep: not alive, but with files or context that were changed of late\n";
  const std::size_t count = found.orphans.size();
  if (count == 0) return text + "nothing to remove\n";
  if (removes) return text;
  return text + tools::counted(count, "project") + " could be removed, with --delete " +
         std::to_string(count) + "\n";
}

}  // namespace

int gc(const Arguments& arguments, const Surroundings& around) {
  const auto config = usable(load(arguments, around), around);
  if (!config) return 1;
  Workplace place(around);
  auto live = live_projects(arguments.live_list);
  if (!live) return place.failed(live.error());
  const auto stores = place.enter_and_open(*config);
  if (!stores) return place.failed(stores.error());
  tools::GcOptions options;
  options.live = *std::move(live);
  options.quiet = std::chrono::days(arguments.quiet_days);
  options.deletions = arguments.deletions;
  tools::Garbage found;
  const Status ended =
      tools::wait_for(tools::collect_garbage(**stores, std::move(options), place.session(), found));
  place.print(arguments.is_json ? json_of(found, ended.has_value())
                                : text_of(found, arguments.deletions.has_value()));
  return ended ? 0 : place.failed(ended.error());
}

}  // namespace flowstore::cli
