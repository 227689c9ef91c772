#include "config/context_options.h"

#include <utility>

#include "config/option_readers.h"

namespace flowstore::config {
namespace {

constexpr std::uint64_t kMostConnections = 1000;

void read_type(const Value& value, Config& config) {
  if (value.is_falsy()) return;
  const auto type = value.choice<bool>("context store", {{"sequelize", true}, {"db", true}});
  if (type) config.context.is_on = true;
}

// The old server compares with a quota above 0 only.
void read_quota(const Value& value, Config& config) {
  const auto text = value.optional_text();
  if (!text) return;
  const bool is_negative = text->starts_with('-') && parse_whole(text->substr(1));
  if (is_negative) {
    config.context.quota.reset();
  } else {
    read_limit(value, config.context.quota);
  }
}

void read_database_type(const Value& value, Config& config) {
  if (value.is_falsy()) return;
  const auto type = value.choice<DatabaseType>(
      "database", {{"sqlite", DatabaseType::sqlite}, {"postgres", DatabaseType::postgres}});
  if (type) config.context.database = *type;
}

std::string show_database_type(const Config& config) {
  return config.context.database == DatabaseType::sqlite ? "sqlite" : "postgres";
}

void read_journal(const Value& value, Config& config) {
  const auto journal =
      value.choice<Journal>("journal", {{"wal", Journal::wal}, {"delete", Journal::rollback}});
  if (journal) config.context.journal = *journal;
}

void read_port(const Value& value, Config& config) {
  if (value.is_falsy()) return;
  if (const auto port = value.whole(1, 65535)) {
    config.context.port = static_cast<std::uint16_t>(*port);
  }
}

void read_password(const Value& value, Config& config) {
  auto text = value.optional_text();
  if (text) config.context.password = Secret(*std::move(text));
}

void read_password_file(const Value& value, Config& config) {
  auto text = value.secret_in_file();
  if (text) config.context.password = *std::move(text);
}

std::string show_mode(TlsMode mode) {
  switch (mode) {
    case TlsMode::disable:
      return "disable";
    case TlsMode::require:
      return "require";
    case TlsMode::verify_ca:
      return "verify-ca";
    case TlsMode::verify_full:
      return "verify-full";
  }
  return "";
}

// The old server asks whether it is true for JavaScript. `no` and `off` are texts, and so were true
// there: who wrote them has to decide.
std::optional<TlsMode> mode_in_javascript(const Value& value, std::string_view text) {
  if (value.is_falsy()) return TlsMode::disable;
  const bool is_on = parse_flag(text) == true || text == "yes" || text == "on" || text == "1";
  return is_on ? std::optional(TlsMode::verify_full) : std::nullopt;
}

void read_ssl(const Value& value, Config& config) {
  const auto text = value.optional_text();
  if (!text) return;
  config.context.tls.mode = mode_in_javascript(value, *text);
  if (config.context.tls.mode) return;
  const auto meaning =
      value.choice<TlsMode>("way to encrypt", {{"true", TlsMode::verify_full},
                                               {"false", TlsMode::disable},
                                               {"disable", TlsMode::disable},
                                               {"require", TlsMode::require},
                                               {"verify-ca", TlsMode::verify_ca},
                                               {"verify-full", TlsMode::verify_full}});
  if (meaning) config.context.tls.mode = *meaning;
}

void read_ssl_mode(const Value& value, Config& config) {
  const auto mode =
      value.choice<TlsMode>("way to encrypt", {{"disable", TlsMode::disable},
                                               {"require", TlsMode::require},
                                               {"verify-ca", TlsMode::verify_ca},
                                               {"verify-full", TlsMode::verify_full}});
  if (mode) config.context.tls.mode = *mode;
}

void read_reject_unauthorized(const Value& value, Config& config) {
  const auto flag = value.flag();
  if (!flag) return;
  config.context.tls.is_on = true;
  config.context.tls.rejects_unauthorized = *flag;
}

void read_pem(const Value& value, DatabaseTls& tls, std::string& into) {
  auto file = value.file_name();
  if (!file) return;
  tls.is_on = true;
  into = *std::move(file);
}

}  // namespace

std::vector<Option> context_options() {
  return {
      {"context.type", read_type,
       [](const Config& c) { return std::string(c.context.is_on ? "db" : "none"); }},
      {"context.quota", read_quota, [](const Config& c) { return show_limit(c.context.quota); }},
      {"context.options.type", read_database_type, show_database_type},
      {"context.options.storage",
       [](const Value& v, Config& c) { read_optional_text(v, c.context.storage); },
       [](const Config& c) { return c.context.storage; }},
      {"context.options.journal", read_journal,
       [](const Config& c) {
         return std::string(c.context.journal == Journal::wal ? "wal" : "delete");
       }},
      {"context.options.host",
       [](const Value& v, Config& c) { read_optional_text(v, c.context.host); },
       [](const Config& c) { return c.context.host; }},
      {"context.options.port", read_port,
       [](const Config& c) { return std::to_string(c.context.port); }},
      {"context.options.database",
       [](const Value& v, Config& c) { read_optional_text(v, c.context.database_name); },
       [](const Config& c) { return c.context.database_name; }},
      {"context.options.username",
       [](const Value& v, Config& c) { read_optional_text(v, c.context.username); },
       [](const Config& c) { return show_text(c.context.username); }},
      {"context.options.password", read_password,
       [](const Config& c) {
         return std::string(c.context.password.empty() ? "none" : "(secret)");
       },
       Secrecy::secret},
      {"context.options.password_file", read_password_file, nullptr},
      {"context.options.ssl", read_ssl,
       [](const Config& c) { return show_mode(c.context.tls.effective_mode()); }},
      {"context.options.ssl.mode", read_ssl_mode, nullptr},
      {"context.options.ssl.ca",
       [](const Value& v, Config& c) { read_pem(v, c.context.tls, c.context.tls.ca_file); },
       [](const Config& c) { return show_text(c.context.tls.ca_file); }},
      {"context.options.ssl.cert",
       [](const Value& v, Config& c) { read_pem(v, c.context.tls, c.context.tls.cert_file); },
       [](const Config& c) { return show_text(c.context.tls.cert_file); }},
      {"context.options.ssl.key",
       [](const Value& v, Config& c) { read_pem(v, c.context.tls, c.context.tls.key_file); },
       [](const Config& c) { return show_text(c.context.tls.key_file); }},
      {"context.options.ssl.rejectUnauthorized", read_reject_unauthorized, nullptr},
      {"context.options.connections",
       [](const Value& v, Config& c) {
         if (const auto count = v.whole(1, kMostConnections)) c.context.connections = *count;
       },
       [](const Config& c) { return std::to_string(c.context.connections); }},
      // It printed every statement to standard output.
      {"context.options.logging", [](const Value&, Config&) {}, nullptr},
  };
}

}  // namespace flowstore::config
