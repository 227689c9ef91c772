#include <ostream>
#include <utility>

#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/workplace.h"
#include "tools/export.h"
#include "tools/import.h"
#include "tools/new_file.h"
#include "tools/quantity.h"
#include "tools/wait.h"

namespace flowstore::cli {
namespace {

constexpr std::size_t kShown = 20;

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

std::string json_of(const tools::Exported& exported, const std::string& archive) {
  LogFields fields;
  fields.raw("ok", "true").text("archive", archive).number("projects", number(exported.projects));
  fields.number("files", number(exported.files)).number("fileBytes", number(exported.file_bytes));
  fields.number("scopes", number(exported.scopes));
  fields.raw("unreachable", json_array(exported.unreachable));
  return "{" + fields.json() + "}\n";
}

std::string text_of(const tools::Exported& exported, const std::string& archive) {
  return archive + ": " + tools::counted(exported.projects, "project") + ", " +
         tools::counted(exported.files, "file") + " of " + tools::human_bytes(exported.file_bytes) +
         ", " + tools::counted(exported.scopes, "scope") + "\n";
}

std::string json_of(const tools::Imported& imported, bool is_dry_run) {
  LogFields fields;
  fields.raw("ok", imported.conflicts.empty() ? "true" : "false");
  fields.raw("dryRun", is_dry_run ? "true" : "false");
  fields.number("files", number(imported.files)).number("fileBytes", number(imported.file_bytes));
  fields.number("scopes", number(imported.scopes)).number("same", number(imported.same));
  fields.raw("conflicts", json_array(imported.conflicts));
  return "{" + fields.json() + "}\n";
}

std::string text_of(const tools::Imported& imported, bool is_dry_run) {
  return std::string(is_dry_run ? "would import " : "imported ") +
         tools::counted(imported.files, "file") + " of " + tools::human_bytes(imported.file_bytes) +
         " and " + tools::counted(imported.scopes, "scope") + "; " + tools::grouped(imported.same) +
         " were there already\n";
}

// Writes the archive; its name appears when it is whole.
Result<tools::Exported> export_to(int file, const Arguments& arguments, tools::Stores& stores,
                                  Workplace& place) {
  FLOWSTORE_TRY(auto writer, tools::ArchiveWriter::to(file));
  return tools::wait_for(
      tools::export_projects(stores, writer, arguments.projects, place.session()));
}

Result<tools::Exported> export_all(const Arguments& arguments, tools::Stores& stores,
                                   Workplace& place) {
  if (arguments.archive == "-") return export_to(STDOUT_FILENO, arguments, stores, place);
  FLOWSTORE_TRY(auto file, tools::NewFile::make(arguments.archive));
  FLOWSTORE_TRY(auto exported, export_to(file.file(), arguments, stores, place));
  FLOWSTORE_TRY_STATUS(place.session().go_on());
  FLOWSTORE_TRY_STATUS(file.publish());
  return exported;
}

}  // namespace

int export_archive(const Arguments& arguments, const Surroundings& around) {
  const auto config = usable(load(arguments, around), around);
  if (!config) return 1;
  Workplace place(around);
  if (arguments.archive == "-" && ::isatty(STDOUT_FILENO) == 1) {
    place.say("an archive is nothing for a terminal; name a file, or redirect standard output");
    return 1;
  }
  const auto stores = place.enter_and_open(*config);
  if (!stores) return place.failed(stores.error());
  const auto exported = export_all(arguments, **stores, place);
  if (!exported) return place.failed(exported.error());
  for (const std::string& name : shortened(exported->unreachable, kShown)) {
    place.say("left out, because no request can name it: " + name);
  }
  const bool is_taken = arguments.archive == "-";  // by the archive
  const std::string text = arguments.is_json ? json_of(*exported, arguments.archive)
                                             : text_of(*exported, arguments.archive);
  if (!is_taken) place.print(text);
  return 0;
}

int import_archive(const Arguments& arguments, const Surroundings& around) {
  const auto config = usable(load(arguments, around), around);
  if (!config) return 1;
  Workplace place(around);
  const auto stores = place.enter_and_open(*config);
  if (!stores) return place.failed(stores.error());
  tools::ImportOptions options;
  options.archive = arguments.archive;
  options.projects = arguments.projects;
  options.is_dry_run = arguments.is_dry_run;
  options.replaces = arguments.replaces;
  const auto imported =
      tools::wait_for(tools::import_archive(**stores, std::move(options), place.session()));
  if (!imported) return place.failed(imported.error());
  for (const std::string& name : shortened(imported->conflicts, kShown)) {
    place.say("is there with another content: " + name);
  }
  const bool is_refused = !imported->conflicts.empty();
  if (is_refused && !arguments.is_dry_run) {
    place.say("nothing was imported; --replace lets the archive win");
  }
  place.print(arguments.is_json ? json_of(*imported, arguments.is_dry_run)
                                : text_of(*imported, arguments.is_dry_run));
  return is_refused ? 1 : 0;
}

}  // namespace flowstore::cli
