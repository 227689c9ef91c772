#include "cli/commands.h"

#include <ostream>
#include <utility>

#include "base/log.h"
#include "cli/workplace.h"
#include "tools/healthcheck.h"
#include "tools/usage.h"
#include "tools/wait.h"

namespace flowstore::cli {

config::LoadResult load(const Arguments& arguments, const Surroundings& around) {
  config::Sources sources;
  sources.config_file = arguments.config_file;
  sources.home = arguments.home;
  sources.environment = around.environment;
  sources.working_directory = around.working_directory;
  return config::load(sources);
}

std::optional<config::Config> usable(config::LoadResult loaded, const Surroundings& around) {
  if (loaded.is_usable()) return std::move(loaded.config);
  // Warnings too: a misspelled name is often why another is missing.
  for (const config::Problem& problem : loaded.problems) {
    around.err << "flowstore: " << (problem.is_fatal ? "" : "warning: ") << to_text(problem)
               << '\n';
  }
  around.err.flush();
  return std::nullopt;
}

int healthcheck(const Arguments& arguments, const Surroundings& around) {
  const auto config = usable(load(arguments, around), around);
  if (!config) return 1;
  const auto found = tools::healthcheck(*config);
  const std::string& sentence = found ? *found : found.error().message();
  if (arguments.is_json) {
    LogFields fields;
    fields.raw("ok", found ? "true" : "false").text("detail", sentence);
    around.out << '{' << fields.json() << "}\n" << std::flush;
  } else if (found) {
    around.out << "ok: " << sentence << '\n' << std::flush;
  } else {
    around.err << "flowstore: " << sentence << '\n' << std::flush;
  }
  return found ? 0 : 1;
}

int usage(const Arguments& arguments, const Surroundings& around) {
  const auto config = usable(load(arguments, around), around);
  if (!config) return 1;
  Workplace place(around);
  const auto stores = place.enter_and_open(*config);
  if (!stores) return place.failed(stores.error());
  const auto counted =
      tools::wait_for(tools::count_usage(**stores, arguments.projects, place.session()));
  if (!counted) return place.failed(counted.error());
  place.print(arguments.is_json ? as_json(*counted) : as_text(*counted));
  return 0;
}

}  // namespace flowstore::cli
