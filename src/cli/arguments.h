// The command line as a value. The only place that knows the command line library.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace flowstore::cli {

enum class Command : std::uint8_t { serve, check, help, version };

struct Arguments {
  Command command = Command::serve;
  std::optional<std::string> config_file;
  std::optional<std::string> home;
  bool is_json = false;  // --json, for check
};

// Why a command line makes no sense, in one sentence.
struct Misuse {
  std::string message;
};

// Reads the words after the program's name. Options may stand before or after the command.
std::variant<Arguments, Misuse> parse_arguments(const std::vector<std::string>& words);

// What --help prints.
extern const char* const help_text;

}  // namespace flowstore::cli
