#include "server/verifiers.h"

#include "auth/caching_verifier.h"
#include "auth/fixed_verifier.h"

namespace flowstore::server {
namespace {

// To the platform in all: a fleet that starts is served in time by so many, and the platform is
// spared the rest.
constexpr std::size_t kConnections = 64;

http::ConnectorOptions connector_options() {
  http::ConnectorOptions options;
  options.max_connections = kConnections;
  options.max_idle = kConnections;
  return options;
}

}  // namespace

Verifiers::Verifiers(const config::Config& config, const Clock& clock, Log& log,
                     metrics::Registry& registry) {
  if (config.auth.type == config::AuthType::fixed) {
    first_ = std::make_unique<auth::FixedVerifier>(config.auth.tokens);
    return;
  }
  trust_ = http::Trust::of_environment();
  if (!trust_->warning().empty()) log.warn(trust_->warning());
  connector_.emplace(*trust_, connector_options());
  platform_ = std::make_unique<auth::PlatformVerifier>(*connector_, config.base_url,
                                                       config.auth.timeout, clock, log, registry);
  auth::CachingOptions options;
  options.cache_time = config.auth.cache_time;
  options.stale_if_error = config.auth.stale_if_error;
  first_ = std::make_unique<auth::CachingVerifier>(*platform_, options, clock, registry);
}

}  // namespace flowstore::server
