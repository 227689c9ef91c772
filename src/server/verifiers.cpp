#include "server/verifiers.h"

#include "auth/caching_verifier.h"
#include "auth/fixed_verifier.h"

namespace flowstore::server {

Verifiers::Verifiers(const config::Config& config, const Clock& clock, Log& log,
                     metrics::Registry& registry) {
  if (config.auth.type == config::AuthType::fixed) {
    first_ = std::make_unique<auth::FixedVerifier>(config.auth.tokens);
    return;
  }
  client_ = std::make_unique<http::Client>();
  if (!client_->warning().empty()) log.warn(client_->warning());
  platform_ = std::make_unique<auth::PlatformVerifier>(*client_, config.base_url,
                                                       config.auth.timeout, clock, log, registry);
  auth::CachingOptions options;
  options.cache_time = config.auth.cache_time;
  options.stale_if_error = config.auth.stale_if_error;
  first_ = std::make_unique<auth::CachingVerifier>(*platform_, options, clock, registry);
}

}  // namespace flowstore::server
