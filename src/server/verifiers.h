// Verifiers: who says whether a token is good, as the configuration has it.

#pragma once

#include <memory>
#include <optional>

#include "auth/platform_verifier.h"
#include "auth/token_verifier.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "http/connector.h"
#include "http/trust.h"
#include "metrics/registry.h"

namespace flowstore::server {

// The list of the configuration, or the platform behind a cache. Outlives the loops of all who ask.
class Verifiers {
 public:
  // All references must outlive it.
  Verifiers(const config::Config& config, const Clock& clock, Log& log,
            metrics::Registry& registry);

  // The one that requests ask.
  auth::TokenVerifier& first() { return *first_; }
  // The platform behind it; null where the tokens are listed.
  auth::PlatformVerifier* platform() { return platform_.get(); }

 private:
  // In the order in which they need each other; nothing but the last where the tokens are listed.
  std::optional<http::Trust> trust_;
  std::optional<http::Connector> connector_;
  std::unique_ptr<auth::PlatformVerifier> platform_;
  std::unique_ptr<auth::TokenVerifier> first_;
};

}  // namespace flowstore::server
