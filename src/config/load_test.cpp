#include "config/load.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace flowstore::config {
namespace {

namespace fs = std::filesystem;

using Variables = std::map<std::string, std::string, std::less<>>;

// A HOME of its own, and the loader with an environment that holds only what the test says.
class Load : public ::testing::Test {
 protected:
  Load() {
    std::string name = (fs::temp_directory_path() / "flowstore-config-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
  }
  ~Load() override { fs::remove_all(home_); }

  std::string write(const std::string& file, const std::string& text) const {
    const fs::path path = home_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

  Sources sources(const Variables& variables) const {
    Sources sources;
    sources.environment = [variables](std::string_view name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    sources.working_directory = home_.string();
    sources.default_home = (home_ / "installed").string();
    return sources;
  }

  // As the server would be started with this file.
  LoadResult load_text(const std::string& text) const {
    write("etc/flowforge-storage.yml", text);
    return load(sources({{"FLOWFORGE_HOME", home_.string()}}));
  }

  std::string default_file() const { return (home_ / "etc/flowforge-storage.yml").string(); }

  // The problems without the name of the file, as "3: port: ...".
  std::vector<std::string> said(const LoadResult& loaded) const {
    std::vector<std::string> texts;
    for (Problem problem : loaded.problems) {
      const bool is_file = problem.file == default_file();
      if (is_file) problem.file = "";
      std::string text = to_text(problem);
      if (is_file) text.erase(0, text.find_first_not_of(": "));
      texts.push_back((problem.is_fatal ? "" : "warning ") + text);
    }
    return texts;
  }

  fs::path home_;
};

constexpr const char* minimal = "base_url: http://forge:3000\ndriver: {type: memory}\n";

TEST_F(Load, ReadsTheFileOfFlowFusesDockerCompose) {
  const auto loaded = load_text(
      "port: 3001\nhost: 0.0.0.0\nbase_url: http://forge:3000\n"
      "driver:\n  type: localfs\n  options:\n    root: var/root");
  EXPECT_EQ(said(loaded), std::vector<std::string>());
  EXPECT_TRUE(loaded.is_usable());
  EXPECT_EQ(loaded.config.home, home_);
  EXPECT_EQ(loaded.config.file, default_file());
  EXPECT_EQ(loaded.config.host, "0.0.0.0");
  EXPECT_EQ(loaded.config.port, 3001);
  EXPECT_EQ(loaded.config.base_url, "http://forge:3000");
  EXPECT_EQ(loaded.config.driver.type, DriverType::localfs);
  EXPECT_EQ(loaded.config.driver.root, home_ / "var/root");
}

TEST_F(Load, ReadsTheFileOfFlowFusesHelmChart) {
  const auto loaded = load_text(
      "host: '0.0.0.0'\nport: 3001\nbase_url: http://forge.default\n"
      "driver:\n  type: localfs\n  quota: 1.048576e+08\n  options:\n    root: var/root\n"
      "context:\n  type: sequelize\n  quota: 1048576\n  options:\n    type: postgres\n"
      "    host: db\n    port: 5432\n    username: forge\n    database: ff-context\n"
      "    password: 12345\n"
      "telemetry:\n  backend:\n    prometheus:\n      enabled: true\n"
      "logging:\n  level: info\n  http: info\n");
  EXPECT_EQ(said(loaded), std::vector<std::string>());
  const ContextConfig& context = loaded.config.context;
  EXPECT_TRUE(context.is_on);
  EXPECT_EQ(context.quota, 1'048'576u);
  EXPECT_EQ(context.database, DatabaseType::postgres);
  EXPECT_EQ(context.host, "db");
  EXPECT_EQ(context.username, "forge");
  EXPECT_EQ(context.database_name, "ff-context");
  EXPECT_EQ(context.password.reveal(), "12345");
  EXPECT_TRUE(loaded.config.has_metrics);
  EXPECT_EQ(loaded.config.driver.quota, 104'857'600u);
  EXPECT_EQ(loaded.config.logging.http, LogLevel::info);
}

TEST_F(Load, ReadsEveryOption) {
  const auto loaded = load_text(
      "host: h\nport: '3002'\nbase_url: https://forge/prefix//\nworkers: 2\n"
      "shutdown: {grace: 2.5}\n"
      "driver: {type: memory, quota: '100', options: {durability: relaxed, maxBytes: 512MiB}}\n"
      "auth: {type: flowfuse, cacheTime: 5, staleIfError: 5m, timeout: 500ms,\n"
      "       serviceTokens: [abc, {token: def}]}\n"
      "limits: {file: 1GB, connections: 10, perProject: 3, headerTimeout: 1,\n"
      "         idleTimeout: 2s, writeTimeout: 1m, bodyRate: 1kB}\n"
      "logging: {level: silent, http: trace, pretty: 'true'}\n"
      "telemetry: {backend: {prometheus: {enabled: 'true'}}}\n");
  EXPECT_EQ(said(loaded), std::vector<std::string>());
  const Config& c = loaded.config;
  EXPECT_EQ(c.host, "h");
  EXPECT_EQ(c.port, 3002);
  EXPECT_EQ(c.base_url, "https://forge/prefix");
  EXPECT_EQ(c.workers, 2u);
  EXPECT_EQ(c.shutdown_grace, std::chrono::milliseconds(2500));
  EXPECT_EQ(c.driver.type, DriverType::memory);
  EXPECT_EQ(c.driver.quota, 100u);
  EXPECT_EQ(c.driver.durability, Durability::relaxed);
  EXPECT_EQ(c.driver.max_bytes, 512u << 20);
  EXPECT_EQ(c.auth.type, AuthType::flowfuse);
  EXPECT_EQ(c.auth.cache_time, std::chrono::seconds(5));
  EXPECT_EQ(c.auth.stale_if_error, std::chrono::minutes(5));
  EXPECT_EQ(c.auth.timeout, std::chrono::milliseconds(500));
  ASSERT_EQ(c.auth.service_tokens.size(), 2u);
  EXPECT_EQ(c.auth.service_tokens[0].token.reveal(), "abc");
  EXPECT_EQ(c.auth.service_tokens[1].token.reveal(), "def");
  EXPECT_EQ(c.limits.file, 1'000'000'000u);
  EXPECT_EQ(c.limits.connections, 10u);
  EXPECT_EQ(c.limits.per_project, 3u);
  EXPECT_EQ(c.limits.head_timeout, std::chrono::seconds(1));
  EXPECT_EQ(c.limits.idle_timeout, std::chrono::seconds(2));
  EXPECT_EQ(c.limits.write_timeout, std::chrono::seconds(60));
  EXPECT_EQ(c.limits.body_rate_bytes_per_second, 1000u);
  EXPECT_EQ(c.logging.level, LogLevel::silent);
  EXPECT_EQ(c.logging.http, LogLevel::trace);
  EXPECT_TRUE(c.logging.is_pretty);
  EXPECT_TRUE(c.has_metrics);
}

TEST_F(Load, ReadsFixedTokens) {
  const std::string digest(64, 'A');
  write("secret", "from-file\r\n");
  const auto loaded = load_text(
      "driver: {type: memory}\nauth:\n  type: static\n  tokens:\n"
      "    - {token: 12345, project: p1, team: t1, quota: {file: 1kB, context: 0}}\n"
      "    - {sha256: " +
      digest +
      ", project: 7}\n"
      "    - {token_file: secret, project: p 3}\n");
  EXPECT_EQ(said(loaded), std::vector<std::string>());
  const auto& tokens = loaded.config.auth.tokens;
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[0].token.reveal(), "12345");
  EXPECT_EQ(tokens[0].project, "p1");
  EXPECT_EQ(tokens[0].team, "t1");
  EXPECT_EQ(tokens[0].file_quota, 1000u);
  EXPECT_EQ(tokens[0].context_quota, std::nullopt);
  EXPECT_EQ(tokens[1].sha256, std::string(64, 'a'));
  EXPECT_TRUE(tokens[1].token.empty());
  EXPECT_EQ(tokens[1].project, "7");
  EXPECT_EQ(tokens[2].token.reveal(), "from-file");
  EXPECT_EQ(tokens[2].project, "p 3");
}

struct ProblemCase {
  const char* text;
  std::vector<std::string> said;
};

TEST_F(Load, SaysWhatIsWrongWhereAndWhatToDo) {
  const ProblemCase cases[] = {
      {"base_url: http://f\ndriver:\n  type: s4\n",
       {"3: driver.type: \"s4\" is no driver; use localfs, s3 or memory"}},
      {"base_url: http://f\ndriver: {type: s3, options: {region: eu-west-1}}\n",
       {"2: driver.options.bucket: is missing; name the bucket of the files"}},
      {"base_url: http://f\ndriver: {type: s3, options: {bucket: b, credentials: {accessKeyId: k}}}"
       "\n",
       {"2: driver.options.credentials: needs both accessKeyId and secretAccessKey, or neither: "
        "then "
        "those of the surroundings are used"}},
      {"base_url: http://f\ndriver:\n  type: vfs\n",
       {"3: driver.type: \"vfs\" is not part of this version; use localfs, s3 or memory"}},
      {"base_url: http://f\ndriver:\n  type:\n",
       {"2: driver.type: is missing; set it to localfs, s3 or memory"}},
      {"base_url: http://f\n", {"driver.type: is missing; set it to localfs, s3 or memory"}},
      {"base_url: http://f\ndriver:\n  type: localfs\n",
       {"2: driver.options.root: is missing; name the folder of the files, e.g. root: var/root"}},
      {"base_url: http://f\ndriver:\n  type: localfs\n  options:\n    root: ''\n",
       {"5: driver.options.root: is empty; give it a value or remove the line"}},
      {"base_url: http://f\ndriver: localfs\n",
       {"2: driver: must be a group of options: type, quota or options",
        "2: driver.type: is missing; set it to localfs, s3 or memory"}},
      {"driver: {type: memory}\n",
       {"base_url: is missing; set it to the URL of the FlowFuse platform, or use auth.type: "
        "static"}},
      {"base_url: forge:3000\ndriver: {type: memory}\n",
       {"1: base_url: \"forge:3000\" is no URL of a platform; use one such as http://forge:3000"}},
      {"base_url: ftp://me:hidden@f\ndriver: {type: memory}\n",
       {"1: base_url: \"ftp://***@f\" is no URL of a platform; use one such as "
        "http://forge:3000"}},
      {"base_url: http://f?x=1\ndriver: {type: memory}\n",
       {"1: base_url: \"http://f?x=1\" has a query or fragment; end it before the ? or #"}},
      {"base_url: http://f:0x1\ndriver: {type: memory}\nport: abc\n",
       {"1: base_url: \"http://f:0x1\" is no URL of a platform; use one such as http://forge:3000",
        "3: port: \"abc\" is not allowed; use a whole number from 0 to 65535"}},
      {"base_url: http://f\ndriver: {type: memory}\nport: 99999\nworkers: [1]\n",
       {"3: port: \"99999\" is not allowed; use a whole number from 0 to 65535",
        "4: workers: must be a single value, not a list or a group of options"}},
      {"base_url: http://f\ndriver: {type: memory, quota: -5}\n",
       {"2: driver.quota: \"-5\" is no size; use bytes, such as 1000000, or a unit, such as 512MiB "
        "or 1GB"}},
      {"base_url: http://f\ndriver: {type: memory, options: {maxBytes: 0}}\n",
       {"2: driver.options.maxBytes: \"0\" is too small; use at least 1"}},
      {"base_url: http://f\ndriver: {type: memory, options: {durability: fast}}\n",
       {"2: driver.options.durability: \"fast\" is no durability; use strict or relaxed"}},
      {"base_url: http://f\ndriver: {type: memory}\nlogging:\n  level: INFO\n  pretty: yes\n",
       {"4: logging.level: \"INFO\" is no logging level; use fatal, error, warn, info, debug, "
        "trace "
        "or silent",
        "5: logging.pretty: \"yes\" is neither true nor false; use one of them"}},
      {"base_url: http://f\ndriver: {type: memory}\nlimits:\n  idleTimeout: 0\n  headerTimeout: "
       "1.5s\n"
       "  writeTimeout: long\n",
       {"4: limits.idleTimeout: \"0\" is out of range; use 1s to 3600s",
        "5: limits.headerTimeout: \"1.5s\" is too fine; use whole seconds",
        "6: limits.writeTimeout: \"long\" is no time; use seconds, such as 90, or a unit, such as "
        "500ms, 2s or 5m"}},
      {"base_url: http://f\ndriver: {type: memory}\ncontext: {type: redis, options: {type: "
       "mysql}}\n",
       {"3: context.type: \"redis\" is no context store; use sequelize or db",
        "3: context.options.type: \"mysql\" is no database; use sqlite or postgres"}},
      {"base_url: http://f\ndriver: {type: memory}\nhost: \"a\\nb\"\n",
       {"3: host: \"a?b\" holds control characters; remove them"}},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(said(load_text(text)), expected) << text;
}

TEST_F(Load, SaysWhatIsWrongWithTokens) {
  const std::string start = "driver: {type: memory}\nauth:\n  type: static\n";
  const std::string digest(64, 'b');
  const ProblemCase cases[] = {
      {"", {"2: auth.tokens: is missing; auth.type: static lets in only the tokens listed there"}},
      {"  tokens: []\n",
       {"4: auth.tokens: is missing; auth.type: static lets in only the tokens listed there"}},
      {"  tokens: abc\n", {"4: auth.tokens: must be a list; start every item with \"- \""}},
      {"  tokens: [abc]\n",
       {"4: auth.tokens[0]: must be a group of options: project, team, token, token_file, sha256 "
        "or "
        "quota"}},
      {"  tokens: [{project: p}]\n",
       {"4: auth.tokens[0]: has no token; add token, token_file or sha256"}},
      {"  tokens: [{token: t}]\n",
       {"4: auth.tokens[0].project: is missing; name the project that the token opens"}},
      {"  tokens: [{token: a secret, project: p}]\n",
       {"4: auth.tokens[0].token: is no token; use printable ASCII characters without spaces"}},
      {"  tokens: [{token: [secret], project: p}]\n",
       {"4: auth.tokens[0].token: must be a single value, not a list or a group of options"}},
      {"  tokens: [{sha256: abc, project: p}]\n",
       {"4: auth.tokens[0].sha256: is no SHA-256 digest; use the 64 hex digits of `printf %s TOKEN "
        "| "
        "sha256sum`"}},
      {"  tokens: [{token: t, project: a/b}, {token: u, project: ..}]\n",
       {"4: auth.tokens[0].project: \"a/b\" is no id; use a name without / \\ ? # and outer spaces",
        "4: auth.tokens[1].project: \"..\" is no id; use a name without / \\ ? # and outer "
        "spaces"}},
      {"  tokens:\n    - {token: t, project: p}\n    - {token: t, project: q}\n"
       "  serviceTokens: [t]\n",
       {"6: auth.tokens[1]: has the same token as auth.tokens[0]; give each its own",
        "7: auth.serviceTokens[0]: has the same token as auth.tokens[0]; give each its own"}},
      {"  tokens: [{token_file: nowhere, project: p}, {token_file: ., project: p}]\n",
       {"4: auth.tokens[0].token_file: cannot read \"nowhere\": no such file; name a file that "
        "holds "
        "the secret and nothing else",
        "4: auth.tokens[1].token_file: cannot read \".\": it is no regular file; name a file that "
        "holds the secret and nothing else"}},
      {"  tokens: [{token: t, project: p}]\n  serviceTokens: [{}]\n",
       {"5: auth.serviceTokens[0]: has no token; add token, token_file or sha256"}},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(said(load_text(start + text)), expected) << text;
  }
  EXPECT_EQ(
      said(load_text(start + "  tokens: [{token: t, sha256: " + digest + ", project: p}]\n")),
      std::vector<std::string>{"4: auth.tokens[0]: names its token more than once; keep one of "
                               "token, token_file and sha256"});
}

TEST_F(Load, TokensWithoutStaticAuthenticationAreAWarning) {
  const auto loaded =
      load_text(std::string(minimal) + "auth: {tokens: [{token: t, project: p}]}\n");
  EXPECT_TRUE(loaded.is_usable());
  EXPECT_EQ(said(loaded),
            std::vector<std::string>{
                "warning 3: auth.tokens: has no effect; it belongs to auth.type: static"});
}

TEST_F(Load, UnknownKeysAreWarningsWithTheNearestName) {
  const std::pair<const char*, const char*> cases[] = {
      {"prot: 1", "3: prot: is no option and is ignored; did you mean port?"},
      {"baseUrl: x", "3: baseUrl: is no option and is ignored; did you mean base_url?"},
      {"loging: {}", "3: loging: is no option and is ignored; did you mean logging?"},
      {"loging:", "3: loging: is no option and is ignored; did you mean logging?"},
      {"root: x", "3: root: is no option and is ignored; did you mean driver.options.root?"},
      {"limits: {bodyrat: 1}",
       "3: limits.bodyrat: is no option and is ignored; did you mean limits.bodyRate?"},
      {"auth: {serviceTokens: [{tokn: x, token: y}]}",
       "3: auth.serviceTokens[0].tokn: is no option and is ignored; did you mean "
       "auth.serviceTokens[].token?"},
      {"colour: red", "3: colour: is no option and is ignored"},
      {"\"a\\nb\": 1", "3: a?b: is no option and is ignored"},
      {"\"\": 1", "3: (no name): is no option and is ignored"},
  };
  for (const auto& [line, expected] : cases) {
    const auto loaded = load_text(minimal + std::string(line) + "\n");
    EXPECT_TRUE(loaded.is_usable()) << line;
    EXPECT_EQ(said(loaded), std::vector<std::string>{"warning " + std::string(expected)});
    EXPECT_EQ(loaded.config.warnings.size(), 1u);
  }
}

TEST_F(Load, ReportsTheFirstHundredProblemsAndThatThereAreMore) {
  std::string text = minimal;
  for (int i = 0; i < 20'000; ++i) text += "unknown" + std::to_string(i) + ": 1\n";
  const auto warned = load_text(text);
  EXPECT_EQ(warned.problems.size(), 100u);
  EXPECT_EQ(warned.problems.back().key, "(more)");
  EXPECT_TRUE(warned.is_usable());
  EXPECT_FALSE(load_text(text + "port: abc\n").is_usable());
}

TEST_F(Load, WithoutAValueAnOptionHasItsDefault) {
  const auto loaded =
      load_text(std::string(minimal) + "host:\nport: ~\nlogging:\nauth: {tokens: }\n");
  EXPECT_EQ(said(loaded), std::vector<std::string>());
  EXPECT_EQ(loaded.config.host, "localhost");
  EXPECT_EQ(loaded.config.port, 3001);
}

TEST_F(Load, AMissingUnreadableOrBrokenFileIsNamed) {
  const Variables home = {{"FLOWFORGE_HOME", home_.string()}};
  const auto text_of = [&] { return to_text(load(sources(home)).problems.at(0)); };
  const std::string start = "Failed to read config file " + default_file();
  EXPECT_EQ(text_of(), start +
                           ": no such file; create it, or name another with --config, --home or "
                           "FLOWFORGE_HOME");
  write("etc/flowforge-storage.yml", "");
  EXPECT_TRUE(text_of().starts_with(start + ": it is empty"));
  write("etc/flowforge-storage.yml", "a: [");
  EXPECT_TRUE(text_of().starts_with(start + ":")) << text_of();
  fs::remove(default_file());
  fs::create_directory(default_file());
  EXPECT_EQ(text_of(), start + ": it is a folder; name a readable file with --config");
}

TEST_F(Load, TheLocalFileIsReadInsteadOfTheOther) {
  write("etc/flowforge-storage.local.yml", std::string(minimal) + "port: 1234\n");
  const auto loaded = load_text(std::string(minimal) + "port: 9\nunknown: 1\n");
  EXPECT_EQ(loaded.config.port, 1234);
  EXPECT_EQ(loaded.config.file, home_ / "etc/flowforge-storage.local.yml");
  EXPECT_TRUE(loaded.problems.empty());
}

TEST_F(Load, HomeIsTheFirstThatIsNamed) {
  const std::string dir = home_.string();
  EXPECT_EQ(load(sources({})).config.home, dir);
  EXPECT_EQ(load(sources({{"FLOWFORGE_HOME", ""}})).config.home, dir);
  EXPECT_EQ(load(sources({{"FLOWFORGE_HOME", "sub/"}})).config.home, dir + "/sub");
  fs::create_directory(home_ / "installed");
  EXPECT_EQ(load(sources({})).config.home, dir + "/installed");
  EXPECT_EQ(load(sources({{"NODE_ENV", "development"}})).config.home, dir);
  const Variables all = {{"FLOWFORGE_HOME", "/elsewhere"}, {"FF_FS_TEST_CONFIG", "{}"}};
  EXPECT_EQ(load(sources(all)).config.home, dir);
  Sources flagged = sources(all);
  flagged.home = "../x";
  EXPECT_EQ(load(flagged).config.home, home_.parent_path() / "x");
}

TEST_F(Load, TheTestConfigurationReplacesTheFile) {
  write("etc/flowforge-storage.yml", "broken: [");
  const auto loaded = load(sources({{"FF_FS_TEST_CONFIG", R"({"base_url": "http://f",
     "driver": {"type": "localfs", "options": {"root": "files"}}})"}}));
  EXPECT_TRUE(loaded.is_usable());
  EXPECT_EQ(loaded.config.file, "FF_FS_TEST_CONFIG");
  EXPECT_EQ(loaded.config.driver.root, home_ / "files");
  EXPECT_TRUE(loaded.config.logging.is_pretty);

  const auto broken = load(sources({{"FF_FS_TEST_CONFIG", "{"}}));
  EXPECT_FALSE(broken.is_usable());
  EXPECT_TRUE(
      to_text(broken.problems.at(0)).starts_with("Failed to read config file FF_FS_TEST_CONFIG:"));
}

TEST_F(Load, TheCommandLineWinsOverTheEnvironmentAndThatOverTheFile) {
  const std::string file = write("other.yml", std::string(minimal) + "port: 1\n");
  Sources flagged = sources({{"PORT", "2"}, {"FF_FS_TEST_CONFIG", "{"}, {"FLOWFORGE_HOME", "/h"}});
  flagged.config_file = "other.yml";
  const auto loaded = load(flagged);
  EXPECT_TRUE(loaded.is_usable());
  EXPECT_EQ(loaded.config.file, file);
  EXPECT_EQ(loaded.config.home, "/h");
  EXPECT_EQ(loaded.config.port, 2);
  EXPECT_FALSE(loaded.config.logging.is_pretty);
}

TEST_F(Load, ABadPortInTheEnvironmentIsRefused) {
  for (const char* port : {"abc", "99999", "-1", "1.5", " 1"}) {
    write("etc/flowforge-storage.yml", minimal);
    const auto loaded = load(sources({{"PORT", port}}));
    ASSERT_EQ(loaded.problems.size(), 1u);
    EXPECT_EQ(to_text(loaded.problems[0]), "environment: PORT: \"" + std::string(port) +
                                               "\" is no port; use a whole number from 0 to 65535");
    EXPECT_FALSE(loaded.is_usable());
  }
}

TEST_F(Load, DevelopmentMeansPrettyLogs) {
  write("etc/flowforge-storage.yml", minimal);
  EXPECT_TRUE(load(sources({{"NODE_ENV", "development"}})).config.logging.is_pretty);
  EXPECT_FALSE(load(sources({{"NODE_ENV", "production"}})).config.logging.is_pretty);
}

}  // namespace
}  // namespace flowstore::config
