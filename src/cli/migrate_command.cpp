#include <optional>
#include <ostream>
#include <utility>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/workplace.h"
#include "tools/migrate.h"
#include "tools/quantity.h"
#include "tools/wait.h"

namespace flowstore::cli {
namespace {

// One end: the stores of a configuration, or a folder with the files of one project.
struct End {
  std::optional<config::Config> config;
  std::string tree;
  std::unique_ptr<tools::Stores> stores;  // of the configuration
  std::unique_ptr<tools::FileSide> files;
};

std::string json_of(const tools::Names& names) {
  LogFields fields;
  fields.number("count", static_cast<std::int64_t>(names.count));
  fields.raw("first", json_array(names.first));
  return "{" + fields.json() + "}";
}

std::string json_of(const tools::Migrated& done, bool is_dry_run, bool is_whole) {
  LogFields fields;
  const auto number = [&fields](const char* name, std::uint64_t value) {
    fields.number(name, static_cast<std::int64_t>(value));
  };
  fields.raw("ok", is_whole && done.is_complete() ? "true" : "false");
  fields.raw("dryRun", is_dry_run ? "true" : "false");
  number("files", done.files);
  number("fileBytes", done.file_bytes);
  number("filesSame", done.files_same);
  number("scopes", done.scopes);
  number("scopesSame", done.scopes_same);
  fields.raw("newer", json_of(done.newer)).raw("extra", json_of(done.extra));
  fields.raw("failed", json_of(done.failed));
  return "{" + fields.json() + "}\n";
}

std::string text_of(const tools::Migrated& done, bool is_dry_run) {
  return std::string(is_dry_run ? "would copy " : "copied ") + tools::counted(done.files, "file") +
         " of " + tools::human_bytes(done.file_bytes) + " and " +
         tools::counted(done.scopes, "scope") + "; " + tools::grouped(done.files_same) + " and " +
         tools::grouped(done.scopes_same) + " were there already\n";
}

void tell(Workplace& place, const std::string& what, const tools::Names& names) {
  const std::string head = what + ": ";
  for (const std::string& name : names.first) place.say(head + name);
  if (names.count > names.first.size()) {
    place.say(what + ": and " + tools::grouped(names.count - names.first.size()) + " more");
  }
}

// False, after naming every problem, if its configuration cannot be used.
bool find(End& end, const std::string& file, const std::string& tree, const Arguments& arguments,
          const Surroundings& around) {
  end.tree = tree;
  if (!tree.empty()) return true;
  Arguments own = arguments;
  if (!file.empty()) own.config_file = file;
  end.config = usable(load(own, around), around);
  return end.config.has_value();
}

Status open(End& end, tools::Parts parts, const Arguments& arguments, Workplace& place) {
  if (end.config) {
    FLOWSTORE_TRY(end.stores, place.open(*end.config, parts));
    if (parts.files) end.files = tools::store_side(end.stores->files());
    return {};
  }
  const std::string& name = arguments.projects.front();
  const std::size_t slash = name.find('/');
  FLOWSTORE_TRY(auto project,
                files::ProjectKey::parse(name.substr(0, slash), name.substr(slash + 1)));
  FLOWSTORE_TRY(end.files, tools::tree_side(end.tree, std::move(project)));
  return {};
}

// What differs between the two: only that has to be copied, and only that is opened.
Result<tools::Parts> parts_of(const End& source, const End& target) {
  tools::Parts parts;
  if (!source.config || !target.config) {
    parts.context = false;
    return parts;
  }
  const config::Config& from = *source.config;
  const config::Config& to = *target.config;
  parts.files = tools::file_identity(from.driver) != tools::file_identity(to.driver);
  parts.context = from.context.is_on &&
                  (!to.context.is_on ||
                   tools::context_identity(from.context) != tools::context_identity(to.context));
  if (parts.context && !to.context.is_on) {
    return Error(ErrorKind::invalid, "migrate",
                 to.file + ": context.type: is not set, but " + from.file +
                     " has context; set where it should go");
  }
  if (parts.files || parts.context) return parts;
  return Error(ErrorKind::invalid, "migrate",
               from.file + " and " + to.file + " keep everything in the same place");
}

Status run(End& source, End& target, tools::Parts parts, const Arguments& arguments,
           Workplace& place, tools::Migrated& done) {
  FLOWSTORE_TRY_STATUS(open(source, parts, arguments, place));
  FLOWSTORE_TRY_STATUS(open(target, parts, arguments, place));
  tools::MigrateOptions options;
  options.projects = arguments.projects;
  options.is_dry_run = arguments.is_dry_run;
  if (parts.files) {
    FLOWSTORE_TRY_STATUS(tools::wait_for(
        tools::migrate_files(*source.files, *target.files, options, place.session(), done)));
  }
  if (!parts.context) return {};
  return tools::wait_for(tools::migrate_context(
      *source.stores->context(), *target.stores->context(), options, place.session(), done));
}

}  // namespace

int migrate(const Arguments& arguments, const Surroundings& around) {
  Workplace place(around);  // outlives the stores of both ends
  End source;
  End target;
  if (!find(source, arguments.source, arguments.source_tree, arguments, around) ||
      !find(target, arguments.target, arguments.target_tree, arguments, around)) {
    return 1;
  }
  const auto parts = parts_of(source, target);
  if (!parts) return place.failed(parts.error());
  const config::Config& owner = target.config ? *target.config : *source.config;
  if (const Status entered = place.enter(owner); !entered) return place.failed(entered.error());
  tools::Migrated done;
  const Status ended = run(source, target, *parts, arguments, place, done);
  tell(place, "could not be copied", done.failed);
  tell(place, "is newer in the target, and was left alone", done.newer);
  tell(place, "is in the target only", done.extra);
  place.print(arguments.is_json ? json_of(done, arguments.is_dry_run, ended.has_value())
                                : text_of(done, arguments.is_dry_run));
  if (!ended) return place.failed(ended.error());
  return done.is_complete() ? 0 : 1;
}

}  // namespace flowstore::cli
