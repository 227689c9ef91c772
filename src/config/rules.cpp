#include "config/rules.h"

#include <map>

namespace flowstore::config {
namespace {

class Rules {
 public:
  Rules(const Config& config, const KeyLines& lines, Problems& problems)
      : config_(config), lines_(lines), problems_(problems) {}

  void check() {
    check_account();
    check_driver();
    check_platform();
    check_tokens();
    check_service_tokens();
    check_listener_tls();
    check_admin();
    check_context();
  }

 private:
  void reject(const std::string& key, std::string message) {
    problems_.reject(key, lines_.near(key), std::move(message));
  }
  void warn(const std::string& key, std::string message) {
    problems_.warn(key, lines_.near(key), std::move(message));
  }

  void check_account() {
    const Account& account = config_.account;
    if (!account.is_set() && lines_.has("group") && !is_refused("user")) {
      warn("group", "has no effect without user");
    }
    if (account.is_set() && !account.primary_group && !account.group && !is_refused("group")) {
      reject("user", "is a number that the list of users does not have; set group as well");
    }
  }

  void check_driver() {
    if (!lines_.has("driver.type")) {
      reject("driver.type", "is missing; set it to localfs, s3 or memory");
      return;
    }
    // The old server started without a root, and every request for a file failed.
    const bool is_localfs = config_.driver.type == DriverType::localfs;
    if (is_localfs && !is_refused("driver.type") && !lines_.has("driver.options.root")) {
      reject("driver.options.root",
             "is missing; name the folder of the files, e.g. root: var/root");
    }
    if (config_.driver.type == DriverType::s3) check_s3();
  }

  void check_s3() {
    if (!lines_.has("driver.options.bucket")) {
      reject("driver.options.bucket", "is missing; name the bucket of the files");
    }
    const std::string key = "driver.options.credentials";
    if (lines_.has(key + ".secretAccessKey") && lines_.has(key + ".secretAccessKey_file")) {
      reject(key, "names its secret twice; keep secretAccessKey or secretAccessKey_file");
    }
    const S3Config& s3 = config_.driver.s3;
    if (s3.access_key_id.empty() != s3.secret_access_key.empty() && !is_refused_within(key)) {
      reject(key,
             "needs both accessKeyId and secretAccessKey, or neither: then those of the "
             "surroundings are used");
    }
  }

  void check_platform() {
    const bool is_needed = config_.auth.type == AuthType::flowfuse && !is_refused("auth.type");
    if (is_needed && !lines_.has("base_url")) {
      reject("base_url",
             "is missing; set it to the URL of the FlowFuse platform, or use auth.type: static");
    }
  }

  void check_tokens() {
    const auto& tokens = config_.auth.tokens;
    const bool is_fixed = config_.auth.type == AuthType::fixed;
    if (is_fixed && tokens.empty() && !is_refused("auth.tokens")) {
      reject("auth.tokens", "is missing; auth.type: static lets in only the tokens listed there");
    }
    if (!is_fixed && !tokens.empty() && !is_refused("auth.type")) {
      warn("auth.tokens", "has no effect; it belongs to auth.type: static");
    }
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const std::string key = "auth.tokens[" + std::to_string(i) + "]";
      check_one_secret(key, tokens[i]);
      if (!is_refused(key) && !lines_.has(key + ".project")) {
        reject(key + ".project", "is missing; name the project that the token opens");
      }
    }
  }

  void check_service_tokens() {
    const auto& tokens = config_.auth.service_tokens;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      check_one_secret("auth.serviceTokens[" + std::to_string(i) + "]", tokens[i]);
    }
  }

  // Without this a misspelled name would leave the listener in the clear.
  void check_listener_tls() {
    if (!lines_.has("tls") || is_refused_within("tls")) return;
    const TlsConfig& tls = config_.tls;
    if (tls.cert_file.empty() || tls.key_file.empty()) {
      reject("tls", "needs both cert and key; name the two PEM files, or remove the group");
    }
  }

  void check_admin() {
    const AdminConfig& admin = config_.admin;
    if (!admin.port) {
      const bool is_known = lines_.has("admin") && !is_refused("admin.port");
      if (is_known) warn("admin", "has no effect without admin.port");
      return;
    }
    if (ways_given("admin") > 0) check_one_secret("admin", admin.token);
    const bool is_near =
        admin.host == "localhost" || admin.host == "::1" || admin.host.starts_with("127.");
    if (!is_near && ways_given("admin") == 0) {
      warn("admin.host", "lets everybody who reaches it read the metrics; add admin.token_file");
    }
  }

  // How many ways to write a token the group uses.
  int ways_given(const std::string& key) const {
    int given = 0;
    for (const char* way : {".token", ".token_file", ".sha256"}) given += lines_.has(key + way);
    return given;
  }

  // `key` is an item that may hold its token in one of three ways, or be the token itself.
  void check_one_secret(const std::string& key, const FixedToken& token) {
    const int given = ways_given(key);
    if (given > 1) {
      reject(key, "names its token more than once; keep one of token, token_file and sha256");
      return;
    }
    const bool is_plain = given == 0 && !token.token.empty();
    if (given == 0 && !is_plain && !is_refused(key)) {
      reject(key, "has no token; add token, token_file or sha256");
    }
    check_unique(key, token);
  }

  void check_unique(const std::string& key, const FixedToken& token) {
    const bool is_digest = token.token.empty();
    const std::string_view secret = is_digest ? token.sha256 : token.token.reveal();
    if (secret.empty()) return;
    const auto [first, is_new] = seen_.try_emplace({is_digest, secret}, key);
    if (!is_new) reject(key, "has the same token as " + first->second + "; give each its own");
  }

  void check_context() {
    const ContextConfig& context = config_.context;
    if (!context.is_on && lines_.has("context.options") && !is_refused("context.type")) {
      warn("context.options", "has no effect without context.type; set that to db");
    }
    if (lines_.has("context.options.password") && lines_.has("context.options.password_file")) {
      reject("context.options", "names its password twice; keep password or password_file");
    }
    const bool is_sqlite = context.database == DatabaseType::sqlite;
    for (const char* const name : {"storage", "journal"}) warn_unless(is_sqlite, name, "sqlite");
    for (const char* const name : {"host", "port", "database", "username", "password",
                                   "password_file", "ssl", "connections"}) {
      warn_unless(!is_sqlite, name, "postgres");
    }
    check_tls(context.tls);
  }

  void warn_unless(bool is_of_use, std::string_view name, std::string_view type) {
    const std::string key = "context.options." + std::string(name);
    if (is_of_use || !lines_.has(key) || is_refused("context.options.type")) return;
    warn(key, "has no effect; it belongs to type: " + std::string(type));
  }

  void check_tls(const DatabaseTls& tls) {
    const std::string key = "context.options.ssl";
    if (tls.cert_file.empty() != tls.key_file.empty() && !is_refused(key + ".cert") &&
        !is_refused(key + ".key")) {
      reject(key, "needs both cert and key, or neither");
    }
    // Else a misspelled option would leave the connection in the clear.
    if (lines_.has(key) && !tls.mode && !tls.is_on && !is_refused_within(key)) {
      reject(key, "does not say whether to encrypt; use true, false or a mode");
    }
    if (tls.mode == TlsMode::disable && tls.is_on) {
      warn(key + ".mode", "turns encryption off; the other options of ssl have no effect");
    }
  }

  // Whether the value at this very key was refused; what follows from it is not said again.
  bool is_refused(std::string_view key) const {
    for (const Problem& problem : problems_.all()) {
      if (problem.is_fatal && problem.key == key) return true;
    }
    return false;
  }

  // The same of the key and all options of its group.
  bool is_refused_within(std::string_view key) const {
    for (const Problem& problem : problems_.all()) {
      if (problem.is_fatal && problem.key.starts_with(key)) return true;
    }
    return false;
  }

  const Config& config_;
  const KeyLines& lines_;
  Problems& problems_;
  // Tokens by (is it a digest, text), and where they were first seen.
  std::map<std::pair<bool, std::string_view>, std::string> seen_;
};

}  // namespace

void check_rules(const Config& config, const KeyLines& lines, Problems& problems) {
  Rules(config, lines, problems).check();
}

}  // namespace flowstore::config
