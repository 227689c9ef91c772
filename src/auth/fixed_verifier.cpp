#include "auth/fixed_verifier.h"

#include <stdexcept>
#include <utility>

#include "auth/service_tokens.h"

namespace flowstore::auth {

FixedVerifier::FixedVerifier(const std::vector<config::FixedToken>& tokens)
    : tokens_(digests_of(tokens)) {
  for (const config::FixedToken& token : tokens) add(token);
}

void FixedVerifier::add(const config::FixedToken& token) {
  const Sha256 digest = digest_of(token);
  if (token.project.empty()) throw std::invalid_argument("A token names no project.");
  if (find(digest, token.project) != nullptr) {
    throw std::invalid_argument("A token is listed twice for the project " + token.project + ".");
  }
  Permission permission;
  permission.project = token.project;
  permission.grant.file_quota = token.file_quota;
  permission.grant.context_quota = token.context_quota;
  permission.grant.team = token.team;
  permissions_.emplace(digest, std::move(permission));
}

const FixedVerifier::Permission* FixedVerifier::find(const Sha256& digest,
                                                     std::string_view project) const {
  const auto [first, last] = permissions_.equal_range(digest);
  for (auto found = first; found != last; ++found) {
    if (found->second.project == project) return &found->second;
  }
  return nullptr;
}

Task<Result<Grant>> FixedVerifier::verify(std::string_view project, std::string_view token) {
  co_return *verify_now(project, token);
}

std::optional<Result<Grant>> FixedVerifier::verify_now(std::string_view project,
                                                       std::string_view token) {
  const Sha256* const digest = tokens_.find(token);
  if (digest == nullptr) return token_refused();
  if (project.empty()) return Grant();
  const Permission* const permission = find(*digest, project);
  if (permission == nullptr) return token_refused();
  return permission->grant;
}

}  // namespace flowstore::auth
