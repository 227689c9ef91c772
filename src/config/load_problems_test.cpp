// What the loader says of a configuration that is not right.

#include "config/test_load.h"

namespace flowstore::config {
namespace {

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
        "warning 5: logging.pretty: \"yes\" counts as true, as everything but false does"}},
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

}  // namespace
}  // namespace flowstore::config
