#include "auth/known_tokens.h"

#include <algorithm>

namespace flowstore::auth {

KnownTokens::KnownTokens(const std::vector<Sha256>& digests) : slots_(2 * digests.size() + 1) {
  std::vector<Sha256> sorted = digests;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  tokens_.resize(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) tokens_[i].digest = sorted[i];
}

const Sha256* KnownTokens::find(std::string_view token) const {
  const HashValue hash = hash_of(token);
  if (const Sha256* const seen = find_seen(hash)) return seen;
  // How far a comparison of digests gets tells a caller nothing about a token.
  const Sha256 digest = sha256(token);
  const auto found = std::lower_bound(
      tokens_.begin(), tokens_.end(), digest,
      [](const Token& known, const Sha256& wanted) { return known.digest < wanted; });
  if (found == tokens_.end() || found->digest != digest) return nullptr;
  remember(*found, hash);
  return &found->digest;
}

HashValue KnownTokens::hash_of(std::string_view token) const noexcept {
  SipHash hash(secret_);
  hash.add(token);
  return hash.finish();
}

const Sha256* KnownTokens::find_seen(const HashValue& hash) const noexcept {
  for (std::size_t slot = hash.low;; ++slot) {
    const Token* const token = slots_[slot % slots_.size()].load(std::memory_order_acquire);
    if (token == nullptr) return nullptr;
    if (token->hash == hash) return &token->digest;
  }
}

void KnownTokens::remember(Token& token, const HashValue& hash) const {
  const std::lock_guard lock(mutex_);
  if (token.is_seen) return;
  token.is_seen = true;
  token.hash = hash;
  std::size_t slot = hash.low;
  while (slots_[slot % slots_.size()].load(std::memory_order_relaxed) != nullptr) ++slot;
  slots_[slot % slots_.size()].store(&token, std::memory_order_release);
}

}  // namespace flowstore::auth
