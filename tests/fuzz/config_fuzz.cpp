// Any text as the configuration: the loader names what is wrong, it never throws, crashes or hangs.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/effective.h"
#include "config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flowstore::config;
  const std::string text(data, data + size);
  Sources sources;
  sources.environment = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "FF_FS_TEST_CONFIG") return text;
    return std::nullopt;
  };
  sources.working_directory = "/nonexistent";
  const LoadResult loaded = load(sources);
  if (loaded.config.warnings.size() > loaded.problems.size()) std::abort();
  for (const EffectiveOption& option : effective_options(loaded)) {
    if (option.name.empty() || option.value.empty()) std::abort();
  }
  return 0;
}
