// Verifiers: who says whether a token is good, as the configuration has it.

#pragma once

#include <memory>

#include "auth/platform_verifier.h"
#include "auth/token_verifier.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "http/client.h"
#include "metrics/registry.h"

namespace flowstore::server {

// The list of the configuration, or the platform behind a cache.
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
  // In the order in which they need each other. The client goes first of all, so that questions on
  // their way end while everything they use exists.
  std::unique_ptr<auth::PlatformVerifier> platform_;
  std::unique_ptr<auth::TokenVerifier> first_;
  std::unique_ptr<http::Client> client_;
};

}  // namespace flowstore::server
