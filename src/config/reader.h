// From the tree of the file to a Config, by the table of options.

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/problem.h"
#include "config/yaml_tree.h"

namespace flowstore::config {

// Which keys the file gives a value, by full name with indexes ("auth.tokens[0].sha256"), and in
// which line.
class KeyLines {
 public:
  void add(const std::string& key, int line) { lines_.emplace(key, line); }
  bool has(std::string_view key) const { return lines_.contains(key); }
  bool has_below(std::string_view key) const;
  // The line of the key, else of the nearest group or list around it; 0 if there is none.
  int near(std::string_view key) const;

 private:
  std::map<std::string, int, std::less<>> lines_;
};

// Reads every option that the file gives into `config`; what the options mean together is for
// check_rules. Unknown keys become warnings, with the name that was probably meant.
KeyLines read_options(const YamlNode& root, Config& config, Problems& problems);

}  // namespace flowstore::config
