#include "config/load.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "config/options.h"
#include "config/reader.h"
#include "config/rules.h"
#include "config/scalars.h"
#include "config/text_file.h"
#include "config/yaml_tree.h"

namespace flowstore::config {
namespace {

constexpr const char* kTestConfig = "FF_FS_TEST_CONFIG";

// The old server is written in JavaScript, where an empty variable is none.
std::optional<std::string> variable(const Sources& sources, std::string_view name) {
  auto value = sources.environment(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

std::string absolute(const std::string& base, const std::string& path) {
  auto joined = (std::filesystem::path(base) / path).lexically_normal();
  if (!joined.has_filename() && joined != joined.root_path()) joined = joined.parent_path();
  return joined.string();
}

bool is_development(const Sources& sources) {
  return variable(sources, "NODE_ENV") == "development";
}

// The text that replaces the file; --config wins over it.
std::optional<std::string> replacement(const Sources& sources) {
  return sources.config_file ? std::nullopt : variable(sources, kTestConfig);
}

std::string advice(const Error& error) {
  if (error.kind() == ErrorKind::not_found) {
    return "; create it, or name another with --config, --home or FLOWFORGE_HOME";
  }
  if (error.code() == "EACCES") return "; let the user that runs flowstore read it";
  return "; name a readable file with --config";
}

class Loader {
 public:
  explicit Loader(const Sources& sources) : sources_(sources) {}

  LoadResult load() && {
    find_home();
    find_file();
    Problems problems(result_.config.file);
    read_file_into(problems);
    read_environment(problems);
    result_.problems = problems.all();
    for (const Problem& problem : result_.problems) {
      if (!problem.is_fatal) result_.config.warnings.push_back(to_text(problem));
    }
    return std::move(result_);
  }

 private:
  void set_home(const std::string& home, std::string origin) {
    result_.config.home = absolute(sources_.working_directory, home);
    result_.origins["FLOWFORGE_HOME"] = std::move(origin);
  }

  void find_home() {
    const auto named = variable(sources_, "FLOWFORGE_HOME");
    if (sources_.home) return set_home(*sources_.home, "command line");
    if (replacement(sources_)) return set_home(".", kTestConfig);
    if (named) return set_home(*named, "environment");
    if (!is_development(sources_) &&
        std::filesystem::is_directory(sources_.default_home, ignored_)) {
      return set_home(sources_.default_home, "default");
    }
    set_home(".", "working directory");
  }

  void find_file() {
    std::string& file = result_.config.file;
    if (sources_.config_file) {
      file = absolute(sources_.working_directory, *sources_.config_file);
    } else if (replacement(sources_)) {
      file = kTestConfig;
    } else {
      file = absolute(result_.config.home, "etc/flowforge-storage.local.yml");
      if (!std::filesystem::exists(file, ignored_)) {
        file = absolute(result_.config.home, "etc/flowforge-storage.yml");
      }
    }
  }

  std::optional<std::string> file_text(Problems& problems) const {
    if (auto text = replacement(sources_)) return text;
    auto text = read_file(result_.config.file, kMaxFileBytes);
    if (text) return *std::move(text);
    problems.reject("", 0, text.error().message() + advice(text.error()));
    return std::nullopt;
  }

  void read_file_into(Problems& problems) {
    const auto text = file_text(problems);
    const auto root = text ? parse_yaml(*text, problems) : nullptr;
    if (!root) return;
    Config& config = result_.config;
    const KeyLines lines = read_options(*root, config, problems);
    if (!config.driver.root.empty()) config.driver.root = absolute(config.home, config.driver.root);
    if (config.context.storage != kInMemory) {
      config.context.storage = absolute(absolute(config.home, "var"), config.context.storage);
    }
    // An empty group is true for JavaScript.
    const std::string_view ssl = "context.options.ssl";
    DatabaseTls& tls = config.context.tls;
    if (!tls.mode && lines.has(ssl) && !lines.has_below(ssl)) tls.is_on = true;
    check_rules(config, lines, problems);
    note_origins(lines);
  }

  void note_origins(const KeyLines& lines) {
    for (const Option& option : options()) {
      if (!lines.has(option.name)) continue;
      const std::string line = std::to_string(lines.near(option.name));
      result_.origins[std::string(option.name)] = result_.config.file + ":" + line;
    }
  }

  void read_environment(Problems& problems) {
    Config& config = result_.config;
    if (is_development(sources_) || replacement(sources_)) {
      config.logging.is_pretty = true;
      result_.origins["logging.pretty"] =
          replacement(sources_) ? kTestConfig : "environment NODE_ENV";
    }
    const auto text = variable(sources_, "PORT");
    if (!text) return;
    const auto port = parse_whole(*text);
    if (!port || *port > 65535) {
      problems.add(Problem{"environment", 0, "PORT",
                           in_quotes(*text) + " is no port; use a whole number from 0 to 65535",
                           true});
      return;
    }
    config.port = static_cast<std::uint16_t>(*port);
    result_.origins["port"] = "environment PORT";
  }

  const Sources& sources_;
  LoadResult result_;
  std::error_code ignored_;
};

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

bool LoadResult::is_usable() const {
  return std::none_of(problems.begin(), problems.end(),
                      [](const Problem& problem) { return problem.is_fatal; });
}

LoadResult load(const Sources& sources) { return Loader(sources).load(); }

}  // namespace flowstore::config
