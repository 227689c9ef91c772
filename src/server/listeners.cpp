#include "server/listeners.h"

#include <thread>

namespace flowstore::server {
namespace {

// A few scrapers and probes; tenants cannot take these from them.
constexpr std::size_t kAdminConnections = 64;

http::Limits limits_of(const config::LimitsConfig& config) {
  http::Limits limits;
  limits.connections = config.connections;
  limits.head_timeout = config.head_timeout;
  limits.idle_timeout = config.idle_timeout;
  limits.write_timeout = config.write_timeout;
  limits.body_rate_bytes_per_second = config.body_rate_bytes_per_second;
  return limits;
}

}  // namespace

Result<std::unique_ptr<http::ServerTls>> listener_tls(const config::Config& config) {
  if (!config.tls.is_on()) return std::unique_ptr<http::ServerTls>();
  auto loaded = http::ServerTls::load(config.tls.cert_file, config.tls.key_file);
  if (loaded) return loaded;
  return Error(loaded.error().kind(), "tls",
               loaded.error().message() + "; check tls.cert and tls.key");
}

http::ServerOptions main_listener(const config::Config& config) {
  http::ServerOptions options;
  options.host = config.host;
  options.port = config.port;
  options.loops = config.workers != 0 ? config.workers : std::thread::hardware_concurrency();
  options.limits = limits_of(config.limits);
  return options;
}

// A loop of its own, so that metrics can be read while the others are at their limits.
http::ServerOptions admin_listener(const config::Config& config) {
  http::ServerOptions options;
  options.host = config.admin.host;
  options.port = *config.admin.port;
  options.loops = 1;
  options.limits = limits_of(config.limits);
  options.limits.connections = kAdminConnections;
  options.host_option = "admin.host";
  options.port_option = "admin.port";
  return options;
}

Result<Ports> bind_ports(const config::Config& config) {
  Ports ports;
  if (config.admin.port) {
    FLOWSTORE_TRY(ports.admin, http::bind_sockets(admin_listener(config)));
  }
  FLOWSTORE_TRY(ports.main, http::bind_sockets(main_listener(config)));
  return ports;
}

}  // namespace flowstore::server
