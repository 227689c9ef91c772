// ServiceTokens: configured tokens of those who run the service, such as may read every team's
// usage.

#pragma once

#include <string_view>
#include <vector>

#include "auth/known_tokens.h"
#include "auth/sha256.h"
#include "config/config.h"

namespace flowstore::auth {

// The SHA-256 of a configured token, whichever way it was written. Throws std::invalid_argument if
// it was written in neither.
Sha256 digest_of(const config::FixedToken& token);

// The same for a list, in its order.
std::vector<Sha256> digests_of(const std::vector<config::FixedToken>& tokens);

// Keeps digests only. Safe to use from any thread.
class ServiceTokens {
 public:
  // Throws std::invalid_argument as digest_of() does.
  explicit ServiceTokens(const std::vector<config::FixedToken>& tokens);

  bool contains(std::string_view token) const;
  bool empty() const noexcept { return is_empty_; }

 private:
  KnownTokens tokens_;
  bool is_empty_;
};

}  // namespace flowstore::auth
