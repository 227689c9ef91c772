// What the program listens on, as the configuration has it.

#pragma once

#include "config/config.h"
#include "http/server.h"

namespace flowstore::server {

// Where the tenants are served.
http::ServerOptions main_listener(const config::Config& config);

// Where metrics are served. Precondition: admin.port is set.
http::ServerOptions admin_listener(const config::Config& config);

}  // namespace flowstore::server
