// Any text as the configuration: the loader names what is wrong, in at most a hundred lines and the
// same way each time; it never throws, crashes or hangs.

#include <string>

#include "config/effective.h"
#include "config/load.h"
#include "fuzz.h"

using namespace flowstore::config;
using flowstore::fuzz::require;

namespace {

LoadResult load_text(const std::string& text) {
  Sources sources;
  sources.environment = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "FF_FS_TEST_CONFIG") return text;
    return std::nullopt;
  };
  sources.working_directory = "/nonexistent";
  return load(sources);
}

void check_problems(const LoadResult& loaded) {
  constexpr std::size_t kMost = 100;
  require(loaded.problems.size() <= kMost);
  require(loaded.config.warnings.size() <= loaded.problems.size());
  bool is_usable = true;
  for (const Problem& problem : loaded.problems) {
    require(!problem.message.empty() && problem.line >= 0);
    require(to_text(problem).find('\n') == std::string::npos);
    if (problem.is_fatal) is_usable = false;
  }
  require(loaded.is_usable() == is_usable);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(flowstore::fuzz::text_of(data, size));
  const LoadResult loaded = load_text(text);
  check_problems(loaded);
  const LoadResult again = load_text(text);
  require(again.problems == loaded.problems && again.origins == loaded.origins);

  const std::vector<EffectiveOption> options = effective_options(loaded);
  const std::vector<EffectiveOption> same = effective_options(again);
  require(options.size() == same.size());
  for (std::size_t i = 0; i < options.size(); ++i) {
    require(!options[i].name.empty() && !options[i].value.empty());
    require(options[i].value == same[i].value);
  }
  return 0;
}
