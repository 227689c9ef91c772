// Options: the one table of everything the configuration file may hold. Reading, hints for
// misspelled names, `flowstore check` and the test of docs/configuration.md all go by it.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/value.h"

namespace flowstore::config {

// How secret the value is: a secret one is never repeated in a message.
enum class Secrecy : std::uint8_t { open, secret };

struct Option {
  // Its place in the file: "driver.options.root"; "[]" stands for every item of a list.
  std::string_view name;
  // Puts the value into the Config, or reports why not. In a list it means the last item.
  void (*read)(const Value& value, Config& config);
  // How `check` and the documentation show the value in force, without secrets; null for options
  // that are accepted and not used, and for those inside lists.
  std::string (*show)(const Config& config);
  Secrecy secrecy = Secrecy::open;
};

// In the order in which people should read them.
const std::vector<Option>& options();

// A list of the file, and how an empty item is added to the Config before its options are read.
struct ListOption {
  std::string_view name;  // with the "[]"
  void (*begin_item)(Config& config);
};
const std::vector<ListOption>& list_options();

}  // namespace flowstore::config
