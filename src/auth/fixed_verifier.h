// FixedVerifier: tokens from the configuration file (auth.type: static).

#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/known_tokens.h"
#include "auth/sha256.h"
#include "auth/token_verifier.h"
#include "config/config.h"

namespace flowstore::auth {

// Each token is good for one project, and where it names a team, under that team only. A token may
// be listed several times, for several projects. Keeps digests only; asks nobody, so it is never
// unavailable.
class FixedVerifier final : public TokenVerifier {
 public:
  // Throws std::invalid_argument if a token is malformed, or listed twice for one project.
  explicit FixedVerifier(const std::vector<config::FixedToken>& tokens);

  // For the empty project every token of the list is good, so that a wrong URL is answered as such
  // and not as a wrong token.
  Task<Result<Grant>> verify(std::string_view project, std::string_view token) override;
  std::optional<Result<Grant>> verify_now(std::string_view project,
                                          std::string_view token) override;

 private:
  struct Permission {
    std::string project;
    Grant grant;
  };

  void add(const config::FixedToken& token);
  const Permission* find(const Sha256& digest, std::string_view project) const;

  KnownTokens tokens_;
  std::unordered_multimap<Sha256, Permission, DigestHash> permissions_;
};

}  // namespace flowstore::auth
