// The PostgreSQL driver: asynchronous libpq, a bounded pool, one database for many processes.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "context/context_store.h"
#include "metrics/registry.h"

namespace flowstore::context::postgres {

// Whether and how the connection is encrypted; the names are libpq's sslmode.
enum class TlsMode : std::uint8_t { disable, require, verify_ca, verify_full };

struct Options {
  std::string host = "postgres";
  std::uint16_t port = 5432;
  std::string database = "ff-context";
  std::string username;  // empty: libpq's default, the user of the process
  Secret password;
  TlsMode tls = TlsMode::disable;
  std::string ca_file;  // PEM; empty: the system's, and NODE_EXTRA_CA_CERTS beside it
  std::string cert_file;
  std::string key_file;
  std::size_t connections = 10;  // at most, opened as they are needed; never less than two
  // The whole time of one call, its waiting included; below the 3 s of the clients.
  std::chrono::milliseconds patience{2500};
};

// Starts the driver's thread and returns at once: a database that is down is tried again and again,
// and calls fail as unavailable meanwhile. An Error only for options that cannot work (a ca_file
// that is not there). References must outlive the store.
Result<std::unique_ptr<ContextStore>> make_store(Options options, const Clock& clock, Log& log,
                                                 metrics::Registry& registry);

}  // namespace flowstore::context::postgres
