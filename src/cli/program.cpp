#include "cli/program.h"

#include <ostream>

#include "cli/arguments.h"
#include "cli/check_report.h"
#include "cli/commands.h"
#include "cli/help.h"

namespace flowstore::cli {
namespace {

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
    case Command::usage:
      return usage(arguments, around);
    case Command::export_archive:
      return export_archive(arguments, around);
    case Command::import:
      return import_archive(arguments, around);
    case Command::migrate:
      return migrate(arguments, around);
    case Command::gc:
      return gc(arguments, around);
    case Command::serve:
      break;
  }
  return serve(arguments, around);
}

}  // namespace flowstore::cli
