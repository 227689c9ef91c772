// What the program listens on, as the configuration has it.

#pragma once

#include <memory>

#include "base/result.h"
#include "config/config.h"
#include "http/server.h"
#include "http/server_tls.h"

namespace flowstore::server {

// What the listeners show: null where tls is not configured. Fails in one sentence that names the
// file. Reads files and so blocks.
Result<std::unique_ptr<http::ServerTls>> listener_tls(const config::Config& config);

// Where the tenants are served.
http::ServerOptions main_listener(const config::Config& config);

// The sockets of both.
struct Ports {
  http::Sockets main;
  http::Sockets admin;  // empty without admin.port
};

// Takes them, but does not listen yet. Fails in one sentence. Makes no thread.
Result<Ports> bind_ports(const config::Config& config);

// Where metrics are served. Precondition: admin.port is set.
http::ServerOptions admin_listener(const config::Config& config);

}  // namespace flowstore::server
