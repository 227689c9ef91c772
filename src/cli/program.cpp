#include "cli/program.h"

#include <optional>
#include <ostream>

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/check_report.h"
#include "cli/help.h"
#include "tools/healthcheck.h"

namespace flowstore::cli {
namespace {

config::LoadResult load(const Arguments& arguments, const Surroundings& around) {
  config::Sources sources;
  sources.config_file = arguments.config_file;
  sources.home = arguments.home;
  sources.environment = around.environment;
  sources.working_directory = around.working_directory;
  return config::load(sources);
}

// The configuration; nothing, and every problem on standard error, if it cannot be used.
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

int serve(const Arguments& arguments, const Surroundings& around) {
  const auto config = usable(load(arguments, around), around);
  return config ? around.serve(*config) : 1;
}

int check(const Arguments& arguments, const Surroundings& around) {
  CheckReport report;
  report.loaded = load(arguments, around);
  // What is not understood cannot be tried.
  if (report.loaded.is_usable()) report.results = around.check_dependencies(report.loaded.config);
  around.out << (arguments.is_json ? as_json(report) : as_text(report)) << std::flush;
  return report.is_ok() ? 0 : 1;
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

}  // namespace

int run_program(const std::vector<std::string>& words, const Surroundings& around) {
  const auto parsed = parse_arguments(words);
  if (const auto* misuse = std::get_if<Misuse>(&parsed)) {
    around.err << "flowstore: " << misuse->message << "; see flowstore --help\n" << std::flush;
    return 2;
  }
  const auto& arguments = std::get<Arguments>(parsed);
  if (arguments.asks_for_help) {
    around.out << help_about(arguments.command) << std::flush;
    return 0;
  }
  switch (arguments.command) {
    case Command::version:
      around.out << "flowstore " FLOWSTORE_VERSION "\n" << std::flush;
      return 0;
    case Command::check:
      return check(arguments, around);
    case Command::healthcheck:
      return healthcheck(arguments, around);
    case Command::serve:
      return serve(arguments, around);
    default:
      break;
  }
  around.err << "flowstore: this command is not there yet\n" << std::flush;
  return 1;
}

}  // namespace flowstore::cli
