// SHA-256 digests, the form in which configured tokens are kept.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace flowstore::auth {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);

// 64 hex digits of either case; nothing for any other text.
std::optional<Digest> parse_digest(std::string_view hex);

// For hash tables. A digest is as good as random, so any part of it will do.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept {
    std::size_t start = 0;
    std::memcpy(&start, digest.data(), sizeof start);
    return start;
  }
};

}  // namespace flowstore::auth
