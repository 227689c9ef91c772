#include "auth/service_tokens.h"

#include <stdexcept>

namespace flowstore::auth {

Sha256 digest_of(const config::FixedToken& token) {
  if (!token.token.empty()) return sha256(token.token.reveal());
  const auto digest = parse_digest(token.sha256);
  if (!digest) throw std::invalid_argument("A token's sha256 must be 64 hexadecimal digits.");
  return *digest;
}

std::vector<Sha256> digests_of(const std::vector<config::FixedToken>& tokens) {
  std::vector<Sha256> digests;
  digests.reserve(tokens.size());
  for (const config::FixedToken& token : tokens) digests.push_back(digest_of(token));
  return digests;
}

ServiceTokens::ServiceTokens(const std::vector<config::FixedToken>& tokens)
    : tokens_(digests_of(tokens)), is_empty_(tokens.empty()) {}

bool ServiceTokens::contains(std::string_view token) const {
  return !is_empty_ && tokens_.find(token) != nullptr;
}

}  // namespace flowstore::auth
