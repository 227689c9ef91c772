#include "config/effective.h"

#include "config/options.h"

namespace flowstore::config {

std::vector<EffectiveOption> effective_options(const LoadResult& loaded) {
  const auto origin_of = [&](std::string_view name) {
    const auto found = loaded.origins.find(name);
    return found == loaded.origins.end() ? std::string("default") : found->second;
  };
  std::vector<EffectiveOption> all;
  all.push_back({"FLOWFORGE_HOME", loaded.config.home, origin_of("FLOWFORGE_HOME")});
  for (const Option& option : options()) {
    if (option.show == nullptr) continue;
    const std::string name(option.name);
    all.push_back({name, option.show(loaded.config), origin_of(name)});
  }
  return all;
}

}  // namespace flowstore::config
