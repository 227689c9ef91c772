// Config: everything an operator can set, with its default. Plain values, checked and resolved.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/secret.h"
#include "config/accounts.h"

namespace flowstore::config {

enum class DriverType : std::uint8_t { localfs, s3, memory };
enum class Durability : std::uint8_t { strict, relaxed };
enum class AuthType : std::uint8_t { flowfuse, fixed };

// driver.options (s3): where the bucket is and who we are to it.
struct S3Config {
  std::string bucket;    // driver.options.bucket
  std::string region;    // driver.options.region; empty: that of the surroundings
  std::string endpoint;  // driver.options.endpoint: a URL; empty: AWS
  // driver.options.forcePathStyle: the bucket is a part of the path, not of the host's name.
  bool force_path_style = false;
  // driver.options.credentials.accessKeyId, secretAccessKey or secretAccessKey_file, sessionToken;
  // empty: those of the surroundings (environment, profile, Kubernetes, ECS, EC2).
  Secret access_key_id;
  Secret secret_access_key;
  Secret session_token;
};

// driver: where files live.
struct DriverConfig {
  DriverType type = DriverType::localfs;
  // driver.quota: bytes a project may not reach, where the platform or token names none.
  std::optional<std::uint64_t> quota;
  // driver.options.root (localfs): folder of the files, absolute after loading.
  std::string root;
  // driver.options.durability (localfs): strict = an answered write survives a power cut;
  // relaxed = it survives a crash of flowstore, not of the machine.
  Durability durability = Durability::strict;
  // driver.options.log (localfs, strict): small writes go by way of a write-ahead log, where the
  // file system allows one.
  bool keeps_log = true;
  // driver.options.maxBytes (memory): all files together; beyond it writes are refused with 507.
  std::uint64_t max_bytes = std::uint64_t{1} << 30;
  S3Config s3;
};

enum class DatabaseType : std::uint8_t { sqlite, postgres };
enum class Journal : std::uint8_t { wal, rollback };
enum class TlsMode : std::uint8_t { disable, require, verify_ca, verify_full };

// context.options.ssl: whether and how the connection to PostgreSQL is encrypted.
struct DatabaseTls {
  // One of the options below is set, which turns it on.
  bool is_on = false;
  // ssl.mode: wins over everything else; the names are libpq's. ssl: true is verify_full, ssl:
  // false is disable.
  std::optional<TlsMode> mode;
  // ssl.rejectUnauthorized: as in Node.js, whether the server must prove who it is.
  bool rejects_unauthorized = true;
  // ssl.ca, ssl.cert, ssl.key: PEM files, absolute after loading.
  std::string ca_file;
  std::string cert_file;
  std::string key_file;

  // What all of it together means.
  TlsMode effective_mode() const noexcept {
    if (mode) return *mode;
    if (!is_on) return TlsMode::disable;
    return rejects_unauthorized ? TlsMode::verify_full : TlsMode::require;
  }
};

// The value of context.options.storage that keeps everything in memory.
inline constexpr std::string_view kInMemory = ":memory:";

// context: where context lives.
struct ContextConfig {
  // context.type is set; without it there are no context routes.
  bool is_on = false;
  // context.quota: characters of JSON text that a project may hold, where the platform or token
  // names no quota.
  std::optional<std::uint64_t> quota;
  // context.options.type
  DatabaseType database = DatabaseType::sqlite;
  // context.options.storage (sqlite): the file, relative to HOME/var, absolute after loading; or
  // kInMemory.
  std::string storage = "context.db";
  // context.options.journal (sqlite): wal = readers and writers do not wait for each other, needs a
  // local file system; delete = for shared volumes.
  Journal journal = Journal::wal;
  // context.options.host, port, database, username, password or password_file (postgres)
  std::string host = "postgres";
  std::uint16_t port = 5432;
  std::string database_name = "ff-context";
  std::string username;  // empty: the user of the process
  Secret password;
  DatabaseTls tls;
  // context.options.connections (postgres): at most, opened as they are needed.
  std::size_t connections = 10;
};

// auth.tokens[]: one fixed token (auth.type: static).
struct FixedToken {
  // token (text) or sha256 (64 hex digits of the token's SHA-256); exactly one of them.
  Secret token;
  std::string sha256;
  std::string project;
  std::optional<std::string> team;             // if set, the only team under which it works
  std::optional<std::uint64_t> file_quota;     // quota.file
  std::optional<std::uint64_t> context_quota;  // quota.context
};

// auth: who may do what.
struct AuthConfig {
  // auth.type: flowfuse = ask the platform at base_url; static = the list below.
  AuthType type = AuthType::flowfuse;
  std::vector<FixedToken> tokens;
  // auth.serviceTokens[]: text or {sha256}: may read the usage of every team.
  std::vector<FixedToken> service_tokens;  // project is empty
  // auth.cacheTime: how long an accepted token is good without asking again.
  std::chrono::seconds cache_time{90};
  // auth.staleIfError: how long beyond that while the platform cannot be asked.
  std::chrono::seconds stale_if_error{600};
  // auth.timeout: budget of one check in all.
  std::chrono::milliseconds timeout{1500};
};

// tls: HTTPS instead of HTTP.
struct TlsConfig {
  // tls.cert, tls.key: PEM files, absolute after loading. Both or none.
  std::string cert_file;
  std::string key_file;

  bool is_on() const noexcept { return !cert_file.empty(); }
};

// admin: a listener for those who run the service.
struct AdminConfig {
  // admin.port: without it there is no such listener, and /metrics is on the main one.
  std::optional<std::uint16_t> port;
  std::string host = "localhost";  // admin.host
  // admin.token, token_file or sha256: what /metrics asks for there; may be none.
  FixedToken token;  // project is empty

  bool has_token() const noexcept { return !token.token.empty() || !token.sha256.empty(); }
};

// limits: what a client may ask. See http/limits.h for the meaning.
struct LimitsConfig {
  std::optional<std::uint64_t> file;               // limits.file: bytes of one file
  std::size_t connections = 16'384;                // limits.connections
  std::size_t per_project = 16;                    // limits.perProject: 0 is no limit
  std::chrono::seconds head_timeout{60};           // limits.headerTimeout
  std::chrono::seconds idle_timeout{72};           // limits.idleTimeout
  std::chrono::seconds write_timeout{60};          // limits.writeTimeout
  std::uint64_t body_rate_bytes_per_second = 100;  // limits.bodyRate
};

struct LoggingConfig {
  LogLevel level = LogLevel::info;  // logging.level
  LogLevel http = LogLevel::warn;   // logging.http: requests to /v1, logged at info
  bool is_pretty = false;           // logging.pretty, or NODE_ENV=development
};

// A remark that does not stop the start, such as an unknown key; names file, line and key.
using Warning = std::string;

struct Config {
  std::string home;                // FLOWFORGE_HOME, absolute
  std::string file;                // the file it came from; "FF_FS_TEST_CONFIG" if from there
  std::string host = "localhost";  // host
  std::uint16_t port = 3001;       // PORT, port
  std::string base_url;            // base_url: the FlowFuse platform, without a trailing slash
  std::size_t workers = 0;         // workers: event loops; 0: one per core
  std::chrono::milliseconds shutdown_grace{20'000};  // shutdown.grace, in seconds
  bool has_metrics = false;                          // telemetry.backend.prometheus.enabled
  // telemetry.backend.prometheus.openTelemetryNames: requests under those names, too.
  bool has_opentelemetry_names = false;
  bool has_console = false;  // console.enabled
  Account account;           // user, group
  TlsConfig tls;
  AdminConfig admin;
  DriverConfig driver;
  ContextConfig context;
  AuthConfig auth;
  LimitsConfig limits;
  LoggingConfig logging;
  std::vector<Warning> warnings;
};

}  // namespace flowstore::config
