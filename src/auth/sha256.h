// SHA-256 digests, the form in which configured tokens are kept.

#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/digest.h"

namespace flowstore::auth {

// 64 hex digits of either case; nothing for any other text.
std::optional<Sha256> parse_digest(std::string_view digits);

// For hash tables. A digest is as good as random, so any part of it will do.
struct DigestHash {
  std::size_t operator()(const Sha256& digest) const noexcept {
    std::size_t start = 0;
    std::memcpy(&start, digest.data(), sizeof start);
    return start;
  }
};

}  // namespace flowstore::auth
