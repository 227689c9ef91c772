// The command line as a value. The only place that knows the command line library.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace flowstore::cli {

enum class Command : std::uint8_t {
  serve,
  check,
  healthcheck,
  usage,
  export_archive,
  import,
  migrate,
  gc,
  version
};

struct Arguments {
  Command command = Command::serve;
  bool asks_for_help = false;  // --help: about the command, if one was named
  std::optional<std::string> config_file;
  std::optional<std::string> home;
  bool is_json = false;                    // --json: all but serve
  std::vector<std::string> projects;       // --project TEAM/PROJECT: usage, export, import, migrate
  std::string archive;                     // export, import: a file, or "-"
  bool is_dry_run = false;                 // --dry-run: import, migrate
  bool replaces = false;                   // --replace: import
  std::string source;                      // --from: migrate; a configuration
  std::string target;                      // --to: migrate; a configuration
  std::string source_tree;                 // --from-tree: migrate
  std::string target_tree;                 // --to-tree: migrate
  std::string live_list;                   // --live: gc; a file, or "-"
  std::optional<std::uint64_t> deletions;  // --delete: gc
  std::uint64_t quiet_days = 7;            // --quiet-days: gc
};

// Why a command line makes no sense, in one sentence.
struct Misuse {
  std::string message;
};

// Reads the words after the program's name. Options may stand before or after the command.
std::variant<Arguments, Misuse> parse_arguments(const std::vector<std::string>& words);

}  // namespace flowstore::cli
