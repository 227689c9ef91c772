#include "config/test_load.h"

namespace flowstore::config {
namespace {

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

TEST_F(Load, TakesForNotSetWhatTheOldServerDid) {
  for (const char* const nothing : {"''", "false", "0", "0.0", ""}) {
    const std::string value(nothing);
    const auto loaded = load_text("host: " + value +
                                  "\nbase_url: http://f\n"
                                  "driver: {type: memory, quota: " +
                                  value + "}\n");
    EXPECT_EQ(said(loaded), std::vector<std::string>()) << value;
    EXPECT_EQ(loaded.config.host, "localhost") << value;
    EXPECT_EQ(loaded.config.driver.quota, std::nullopt) << value;
  }
  EXPECT_EQ(load_text(std::string(minimal) + "port: 0\n").config.port, 0);  // any, not 3001
}

TEST_F(Load, WritesForPeopleWhereTheOldServerDid) {
  for (const char* const text : {"no", "0", "''"}) {
    const auto loaded = load_text(std::string(minimal) + "logging: {pretty: " + text + "}\n");
    EXPECT_TRUE(loaded.is_usable()) << text;
    EXPECT_EQ(loaded.problems.size(), 1u) << text;
    EXPECT_TRUE(loaded.config.logging.is_pretty) << text;
  }
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

TEST_F(Load, WithoutAValueAnOptionHasItsDefault) {
  const auto loaded =
      load_text(std::string(minimal) + "host:\nport: ~\nlogging:\nauth: {tokens: }\n");
  EXPECT_EQ(said(loaded), std::vector<std::string>());
  EXPECT_EQ(loaded.config.host, "localhost");
  EXPECT_EQ(loaded.config.port, 3001);
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
