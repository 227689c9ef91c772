#include "cli/arguments.h"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace flowstore::cli {

const char* const help_text =
    R"(flowstore - file storage for fleets of Node-RED (FlowFuse)

Usage: flowstore [serve | check] [options]

Commands:
  serve          run the server; this is what happens without a command
  check          read the configuration, try everything it needs, say what is wrong

Options:
  --config FILE  read this file instead of HOME/etc/flowforge-storage.yml
  --home DIR     use this folder as HOME, instead of the one in FLOWFORGE_HOME
  --json         (check) print the result as JSON
  --version      print the version
  --help         print this text

Environment: FLOWFORGE_HOME, PORT, NODE_ENV and FF_FS_TEST_CONFIG mean what they mean
to the FlowFuse file server. Options win over the environment, and that over the file.

Examples:
  flowstore --home /opt/flowforge-file-storage
  PORT=3002 flowstore serve --config ./storage.yml
  flowstore check --json

Exit codes: 0 stopped as asked or all is well, 1 could not start or a check failed,
2 the command line was wrong. docs/configuration.md explains every option of the file.
)";

namespace {

// The library ends its messages with or without a full stop and may add lines.
std::string one_sentence(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

std::variant<Arguments, Misuse> parse_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  CLI::App app("flowstore", "flowstore");
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", FLOWSTORE_VERSION);
  app.add_option("--config", arguments.config_file)->type_name("FILE");
  app.add_option("--home", arguments.home)->type_name("DIR");
  app.add_subcommand("serve");
  CLI::App* const check = app.add_subcommand("check");
  check->add_flag("--json", arguments.is_json);
  try {
    // The library takes the words from the back.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    arguments.command = Command::help;
    return arguments;
  } catch (const CLI::CallForVersion&) {
    arguments.command = Command::version;
    return arguments;
  } catch (const CLI::Error& error) {
    return Misuse{one_sentence(error.what())};
  }
  if (check->parsed()) arguments.command = Command::check;
  return arguments;
}

}  // namespace flowstore::cli
