// Options: which PostgreSQL, and how to log in.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/secret.h"

namespace flowstore::postgres {

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
  std::chrono::milliseconds patience{2300};
};

}  // namespace flowstore::postgres
