#include "server/context_stores.h"

#include <utility>

#include "context/memory/memory_store.h"
#include "context/postgres/postgres_store.h"
#include "context/sqlite/sqlite_store.h"

namespace flowstore::server {
namespace {

using context::ContextStore;

bool is_in_memory(const config::ContextConfig& config) {
  return config.database == config::DatabaseType::sqlite && config.storage == config::kInMemory;
}

postgres::TlsMode tls_mode(config::TlsMode mode) {
  switch (mode) {
    case config::TlsMode::disable:
      return postgres::TlsMode::disable;
    case config::TlsMode::require:
      return postgres::TlsMode::require;
    case config::TlsMode::verify_ca:
      return postgres::TlsMode::verify_ca;
    case config::TlsMode::verify_full:
      break;
  }
  return postgres::TlsMode::verify_full;
}

context::sqlite::Options sqlite_options(const config::ContextConfig& config) {
  const bool is_wal = config.journal == config::Journal::wal;
  context::sqlite::Options options;
  options.file = config.storage;
  options.journal = is_wal ? context::sqlite::Journal::wal : context::sqlite::Journal::rollback;
  return options;
}

}  // namespace

postgres::Options postgres_options(const config::ContextConfig& config) {
  postgres::Options options;
  options.host = config.host;
  options.port = config.port;
  options.database = config.database_name;
  options.username = config.username;
  options.password = config.password;
  options.tls = tls_mode(config.tls.effective_mode());
  options.ca_file = config.tls.ca_file;
  options.cert_file = config.tls.cert_file;
  options.key_file = config.tls.key_file;
  options.connections = config.connections;
  return options;
}

Result<std::unique_ptr<ContextStore>> make_context_store(const config::ContextConfig& config,
                                                         BlockingPool& io, const Clock& clock,
                                                         Log& log, metrics::Registry& registry) {
  if (is_in_memory(config)) return context::memory::make_store();
  if (config.database == config::DatabaseType::postgres) {
    return context::postgres::make_store(postgres_options(config), clock, log, registry);
  }
  return context::sqlite::make_store(sqlite_options(config), io, clock, log, registry);
}

std::string_view context_driver(const config::ContextConfig& config) {
  if (is_in_memory(config)) return "memory";
  return config.database == config::DatabaseType::sqlite ? "sqlite" : "postgres";
}

const std::string& context_place(const config::ContextConfig& config) {
  return config.database == config::DatabaseType::sqlite ? config.storage : config.host;
}

}  // namespace flowstore::server
