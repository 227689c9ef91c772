#include "cli/program.h"

#include <ostream>

#include "cli/arguments.h"
#include "cli/check_report.h"

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

int serve(const Arguments& arguments, const Surroundings& around) {
  const config::LoadResult loaded = load(arguments, around);
  if (loaded.is_usable()) return around.serve(loaded.config);
  // Warnings too: a misspelled name is often why another is missing.
  for (const config::Problem& problem : loaded.problems) {
    around.err << "flowstore: " << (problem.is_fatal ? "" : "warning: ") << to_text(problem)
               << '\n';
  }
  around.err.flush();
  return 1;
}

int check(const Arguments& arguments, const Surroundings& around) {
  CheckReport report;
  report.loaded = load(arguments, around);
  // What is not understood cannot be tried.
  if (report.loaded.is_usable()) report.results = around.check_dependencies(report.loaded.config);
  around.out << (arguments.is_json ? as_json(report) : as_text(report)) << std::flush;
  return report.is_ok() ? 0 : 1;
}

}  // namespace

int run_program(const std::vector<std::string>& words, const Surroundings& around) {
  const auto parsed = parse_arguments(words);
  if (const auto* misuse = std::get_if<Misuse>(&parsed)) {
    around.err << "flowstore: " << misuse->message << "; see flowstore --help\n" << std::flush;
    return 2;
  }
  const auto& arguments = std::get<Arguments>(parsed);
  switch (arguments.command) {
    case Command::help:
      around.out << help_text << std::flush;
      return 0;
    case Command::version:
      around.out << "flowstore " FLOWSTORE_VERSION "\n" << std::flush;
      return 0;
    case Command::check:
      return check(arguments, around);
    case Command::serve:
      break;
  }
  return serve(arguments, around);
}

}  // namespace flowstore::cli
