#include "cli/arguments.h"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

namespace flowstore::cli {
namespace {

// The library ends its messages with or without a full stop and may add lines.
std::string one_sentence(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

using Commands = std::vector<std::pair<CLI::App*, Command>>;

void add_projects(CLI::App* command, Arguments& arguments) {
  command->add_option("--project", arguments.projects)
      ->type_name("TEAM/PROJECT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_archives(CLI::App* exporting, CLI::App* importing, Arguments& arguments) {
  for (CLI::App* const command : {exporting, importing}) {
    command->add_option("archive", arguments.archive)->type_name("FILE")->required();
    add_projects(command, arguments);
  }
  importing->add_flag("--dry-run", arguments.is_dry_run);
  importing->add_flag("--replace", arguments.replaces);
}

void add_migrate(CLI::App* command, Arguments& arguments) {
  CLI::Option* const from = command->add_option("--from", arguments.source)->type_name("FILE");
  CLI::Option* const to = command->add_option("--to", arguments.target)->type_name("FILE");
  command->add_option("--from-tree", arguments.source_tree)->type_name("DIR")->excludes(from);
  command->add_option("--to-tree", arguments.target_tree)->type_name("DIR")->excludes(to);
  command->add_flag("--dry-run", arguments.is_dry_run);
  add_projects(command, arguments);
}

void add_gc(CLI::App* command, Arguments& arguments) {
  command->add_option("--live", arguments.live_list)->type_name("FILE")->required();
  command->add_option("--delete", arguments.deletions)->type_name("COUNT");
  command->add_option("--quiet-days", arguments.quiet_days)
      ->type_name("DAYS")
      ->check(CLI::Range(0, 36'500));
}

Commands add_commands(CLI::App& app, Arguments& arguments) {
  const auto add = [&](const char* name) { return app.add_subcommand(name); };
  Commands commands = {{add("serve"), Command::serve},
                       {add("check"), Command::check},
                       {add("healthcheck"), Command::healthcheck},
                       {add("usage"), Command::usage},
                       {add("export"), Command::export_archive},
                       {add("import"), Command::import},
                       {add("migrate"), Command::migrate},
                       {add("gc"), Command::gc}};
  for (const auto& [command, what] : commands) {
    if (what != Command::serve) command->add_flag("--json", arguments.is_json);
  }
  add_projects(app.get_subcommand("usage"), arguments);
  add_archives(app.get_subcommand("export"), app.get_subcommand("import"), arguments);
  add_migrate(app.get_subcommand("migrate"), arguments);
  add_gc(app.get_subcommand("gc"), arguments);
  return commands;
}

// What the library cannot know.
std::optional<Misuse> misuse_in(const Arguments& arguments) {
  for (const std::string& project : arguments.projects) {
    const std::size_t slash = project.find('/');
    const bool is_pair = slash != std::string::npos && slash > 0 && slash + 1 < project.size() &&
                         project.find('/', slash + 1) == std::string::npos;
    if (!is_pair) return Misuse{"--project: \"" + project + "\" is not TEAM/PROJECT"};
  }
  if (arguments.command != Command::migrate) return std::nullopt;
  const bool uses_tree = !arguments.source_tree.empty() || !arguments.target_tree.empty();
  if (arguments.source.empty() && arguments.target.empty() && !uses_tree) {
    return Misuse{"migrate needs --from, --to, --from-tree or --to-tree"};
  }
  if (uses_tree && arguments.projects.size() != 1) {
    return Misuse{"a tree is the files of one project: name it with --project TEAM/PROJECT"};
  }
  if (!arguments.source_tree.empty() && !arguments.target_tree.empty()) {
    return Misuse{"from a tree to a tree any copy will do: name one of them only"};
  }
  return std::nullopt;
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
  const Commands commands = add_commands(app, arguments);
  const auto note_command = [&] {
    for (const auto& [command, what] : commands) {
      if (command->parsed()) arguments.command = what;
    }
  };
  try {
    // The library takes the words from the back.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    note_command();
    arguments.asks_for_help = true;
    return arguments;
  } catch (const CLI::CallForVersion&) {
    arguments.command = Command::version;
    return arguments;
  } catch (const CLI::Error& error) {
    return Misuse{one_sentence(error.what())};
  }
  note_command();
  if (auto misuse = misuse_in(arguments)) return *std::move(misuse);
  return arguments;
}

}  // namespace flowstore::cli
