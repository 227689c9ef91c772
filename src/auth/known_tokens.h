// KnownTokens: which of the configured tokens a text is.

#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string_view>
#include <vector>

#include "auth/sha256.h"
#include "auth/siphash.h"

namespace flowstore::auth {

// Keeps no token. It is recognised by its SHA-256, as configured, the first time that it comes, and
// from then on by a keyed hash, which takes a tenth of that time and without the key of this
// process says nothing about the token. Safe to use from any thread; the look-up of a known token
// takes no lock.
class KnownTokens {
 public:
  // A digest may be listed several times.
  explicit KnownTokens(const std::vector<Sha256>& digests);

  // The digest of the token; null if it is not one of the configured ones. Valid as long as this.
  const Sha256* find(std::string_view token) const;

 private:
  struct Token {
    Sha256 digest{};
    // Written once, under the mutex, before a slot names the token.
    HashValue hash;
    bool is_seen = false;
  };

  HashValue hash_of(std::string_view token) const noexcept;
  const Sha256* find_seen(const HashValue& hash) const noexcept;
  void remember(Token& token, const HashValue& hash) const;

  const SipHash::Key secret_ = SipHash::random_key();
  mutable std::mutex mutex_;
  mutable std::vector<Token> tokens_;  // in the order of their digests
  // The tokens that were seen, by their hash, with open addressing. A slot is written once, and as
  // there are twice as many as tokens, a search always meets a free one.
  mutable std::vector<std::atomic<const Token*>> slots_;
};

}  // namespace flowstore::auth
