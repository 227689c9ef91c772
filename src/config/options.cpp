#include "config/options.h"

#include <algorithm>
#include <limits>

#include "config/account_options.h"
#include "config/base_url.h"
#include "config/context_options.h"
#include "config/driver_options.h"
#include "config/listener_options.h"
#include "config/option_readers.h"
#include "config/scalars.h"
#include "config/token_readers.h"

namespace flowstore::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kHour{3600};
constexpr seconds kDay{24 * 3600};

std::optional<LogLevel> read_level(const Value& value) {
  return value.choice<LogLevel>("logging level", {{"fatal", LogLevel::fatal},
                                                  {"error", LogLevel::error},
                                                  {"warn", LogLevel::warn},
                                                  {"info", LogLevel::info},
                                                  {"debug", LogLevel::debug},
                                                  {"trace", LogLevel::trace},
                                                  {"silent", LogLevel::silent}});
}

// To the old server everything but false was true.
void read_pretty(const Value& value, Config& config) {
  const auto text = value.optional_text();
  if (!text) return;
  const auto flag = parse_flag(*text);
  config.logging.is_pretty = flag.value_or(true);
  if (!flag) value.warn(value.shown() + " counts as true, as everything but false does");
}

std::string show_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return "trace";
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
    case LogLevel::fatal:
      return "fatal";
    case LogLevel::silent:
      return "silent";
  }
  return "";
}

// ---- single options ---------------------------------------------------------------------------

void read_base_url(const Value& value, Config& config) {
  const auto url = value.text();
  if (!url) return;
  auto base = parse_base_url(*url);
  if (base) {
    config.base_url = *std::move(base);
  } else {
    value.reject(in_quotes(without_credentials(*url)) + " " + base.error().message());
  }
}

void read_auth_type(const Value& value, Config& config) {
  const auto type = value.choice<AuthType>(
      "kind of authentication", {{"flowfuse", AuthType::flowfuse}, {"static", AuthType::fixed}});
  if (type) config.auth.type = *type;
}

// Names of teams and projects are one segment of a path and of a URL.
std::optional<std::string> read_segment(const Value& value) {
  auto id = value.text();
  if (!id) return std::nullopt;
  const bool is_one_segment = id != "." && id != ".." && id->front() != ' ' && id->back() != ' ' &&
                              id->find_first_of("/\\?#") == std::string::npos;
  if (is_one_segment) return id;
  value.reject(value.shown() + " is no id; use a name without / \\ ? # and outer spaces");
  return std::nullopt;
}

std::string show_tokens(const std::vector<FixedToken>& tokens) {
  return tokens.empty() ? "none" : std::to_string(tokens.size()) + " (secret)";
}

// ---- groups of the table ------------------------------------------------------------------------

using Table = std::vector<Option>;

Table server_options() {
  return {
      {"host",
       [](const Value& v, Config& c) {
         if (v.is_falsy()) return;
         if (auto host = v.text()) c.host = *std::move(host);
       },
       [](const Config& c) { return c.host; }},
      {"port",
       [](const Value& v, Config& c) {
         if (const auto port = v.whole(0, 65535)) c.port = static_cast<std::uint16_t>(*port);
       },
       [](const Config& c) { return std::to_string(c.port); }},
      {"base_url", read_base_url,
       [](const Config& c) {
         return c.base_url.empty() ? "none" : without_credentials(c.base_url);
       }},
      {"workers",
       [](const Value& v, Config& c) {
         if (const auto workers = v.whole(0, 1024)) c.workers = *workers;
       },
       [](const Config& c) { return std::to_string(c.workers); }},
      {"shutdown.grace",
       [](const Value& v, Config& c) {
         if (const auto grace = v.duration(seconds(0), kHour)) c.shutdown_grace = *grace;
       },
       [](const Config& c) { return show_duration(c.shutdown_grace); }},
  };
}

Table auth_options() {
  return {
      {"auth.type", read_auth_type,
       [](const Config& c) {
         return std::string(c.auth.type == AuthType::flowfuse ? "flowfuse" : "static");
       }},
      {"auth.cacheTime",
       [](const Value& v, Config& c) {
         if (const auto time = v.seconds(seconds(0), kDay)) c.auth.cache_time = *time;
       },
       [](const Config& c) { return show_duration(c.auth.cache_time); }},
      {"auth.staleIfError",
       [](const Value& v, Config& c) {
         if (const auto time = v.seconds(seconds(0), 7 * kDay)) c.auth.stale_if_error = *time;
       },
       [](const Config& c) { return show_duration(c.auth.stale_if_error); }},
      {"auth.timeout",
       [](const Value& v, Config& c) {
         if (const auto time = v.duration(milliseconds(10), seconds(60))) c.auth.timeout = *time;
       },
       [](const Config& c) { return show_duration(c.auth.timeout); }},
      {"auth.tokens", nullptr, [](const Config& c) { return show_tokens(c.auth.tokens); }},
      {"auth.tokens[].project",
       [](const Value& v, Config& c) {
         if (auto id = read_segment(v)) c.auth.tokens.back().project = *std::move(id);
       },
       nullptr},
      {"auth.tokens[].team",
       [](const Value& v, Config& c) {
         if (auto id = read_segment(v)) c.auth.tokens.back().team = *std::move(id);
       },
       nullptr},
      {"auth.tokens[].token",
       [](const Value& v, Config& c) { read_token(v, c.auth.tokens.back()); }, nullptr,
       Secrecy::secret},
      {"auth.tokens[].token_file",
       [](const Value& v, Config& c) { read_token_file(v, c.auth.tokens.back()); }, nullptr},
      {"auth.tokens[].sha256",
       [](const Value& v, Config& c) { read_sha256(v, c.auth.tokens.back()); }, nullptr,
       Secrecy::secret},
      {"auth.tokens[].quota.file",
       [](const Value& v, Config& c) { read_limit(v, c.auth.tokens.back().file_quota); }, nullptr},
      {"auth.tokens[].quota.context",
       [](const Value& v, Config& c) { read_limit(v, c.auth.tokens.back().context_quota); },
       nullptr},
      {"auth.serviceTokens", nullptr,
       [](const Config& c) { return show_tokens(c.auth.service_tokens); }},
      {"auth.serviceTokens[]",
       [](const Value& v, Config& c) { read_token(v, c.auth.service_tokens.back()); }, nullptr,
       Secrecy::secret},
      {"auth.serviceTokens[].token",
       [](const Value& v, Config& c) { read_token(v, c.auth.service_tokens.back()); }, nullptr,
       Secrecy::secret},
      {"auth.serviceTokens[].token_file",
       [](const Value& v, Config& c) { read_token_file(v, c.auth.service_tokens.back()); },
       nullptr},
      {"auth.serviceTokens[].sha256",
       [](const Value& v, Config& c) { read_sha256(v, c.auth.service_tokens.back()); }, nullptr,
       Secrecy::secret},
  };
}

Table limits_options() {
  return {
      {"limits.file", [](const Value& v, Config& c) { read_limit(v, c.limits.file); },
       [](const Config& c) { return show_limit(c.limits.file); }},
      {"limits.connections",
       [](const Value& v, Config& c) {
         if (const auto count = v.whole(1, 1'000'000)) c.limits.connections = *count;
       },
       [](const Config& c) { return std::to_string(c.limits.connections); }},
      {"limits.perProject",
       [](const Value& v, Config& c) {
         if (const auto count = v.whole(0, 100'000)) c.limits.per_project = *count;
       },
       [](const Config& c) { return std::to_string(c.limits.per_project); }},
      {"limits.headerTimeout",
       [](const Value& v, Config& c) {
         if (const auto time = v.seconds(seconds(1), kHour)) c.limits.head_timeout = *time;
       },
       [](const Config& c) { return show_duration(c.limits.head_timeout); }},
      {"limits.idleTimeout",
       [](const Value& v, Config& c) {
         if (const auto time = v.seconds(seconds(1), kHour)) c.limits.idle_timeout = *time;
       },
       [](const Config& c) { return show_duration(c.limits.idle_timeout); }},
      {"limits.writeTimeout",
       [](const Value& v, Config& c) {
         if (const auto time = v.seconds(seconds(1), kHour)) c.limits.write_timeout = *time;
       },
       [](const Config& c) { return show_duration(c.limits.write_timeout); }},
      {"limits.bodyRate",
       [](const Value& v, Config& c) {
         if (const auto rate = v.bytes()) c.limits.body_rate_bytes_per_second = *rate;
       },
       [](const Config& c) { return show_bytes(c.limits.body_rate_bytes_per_second); }},
  };
}

Table operations_options() {
  return {
      {"logging.level",
       [](const Value& v, Config& c) {
         if (const auto level = read_level(v)) c.logging.level = *level;
       },
       [](const Config& c) { return show_level(c.logging.level); }},
      {"logging.http",
       [](const Value& v, Config& c) {
         if (const auto level = read_level(v)) c.logging.http = *level;
       },
       [](const Config& c) { return show_level(c.logging.http); }},
      {"logging.pretty", read_pretty,
       [](const Config& c) { return show_flag(c.logging.is_pretty); }},
      {"telemetry.backend.prometheus.enabled",
       [](const Value& v, Config& c) {
         if (const auto flag = v.flag()) c.has_metrics = *flag;
       },
       [](const Config& c) { return show_flag(c.has_metrics); }},
      {"telemetry.backend.prometheus.openTelemetryNames",
       [](const Value& v, Config& c) {
         if (const auto flag = v.flag()) c.has_opentelemetry_names = *flag;
       },
       [](const Config& c) { return show_flag(c.has_opentelemetry_names); }},
      {"console.enabled",
       [](const Value& v, Config& c) {
         if (const auto flag = v.flag()) c.has_console = *flag;
       },
       [](const Config& c) { return show_flag(c.has_console); }},
  };
}

Table joined(std::initializer_list<Table> parts) {
  Table all;
  for (const Table& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

const std::vector<Option>& options() {
  static const Table all =
      joined({server_options(), account_options(), listener_options(), driver_options(),
              context_options(), auth_options(), limits_options(), operations_options()});
  return all;
}

const std::vector<ListOption>& list_options() {
  static const std::vector<ListOption> all = {
      {"auth.tokens[]", [](Config& c) { c.auth.tokens.emplace_back(); }},
      {"auth.serviceTokens[]", [](Config& c) { c.auth.service_tokens.emplace_back(); }},
  };
  return all;
}

}  // namespace flowstore::config
