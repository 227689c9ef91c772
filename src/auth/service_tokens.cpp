#include "auth/service_tokens.h"

#include <stdexcept>

namespace flowstore::auth {

Digest digest_of(const config::FixedToken& token) {
  if (!token.token.empty()) return sha256(token.token.reveal());
  const auto digest = parse_digest(token.sha256);
  if (!digest) throw std::invalid_argument("A token's sha256 must be 64 hexadecimal digits.");
  return *digest;
}

ServiceTokens::ServiceTokens(const std::vector<config::FixedToken>& tokens) {
  for (const config::FixedToken& token : tokens) digests_.insert(digest_of(token));
}

bool ServiceTokens::contains(std::string_view token) const {
  // How far a digest comparison gets tells a caller nothing about the token: no need for constant
  // time.
  return !digests_.empty() && digests_.contains(sha256(token));
}

}  // namespace flowstore::auth
