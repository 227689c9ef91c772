// Digests of bytes, and how they are written.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct evp_md_ctx_st;

namespace flowstore {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

// Two digits a byte, in lower case.
std::string hex(std::span<const std::uint8_t> bytes);

// The digest of bytes that come in pieces.
class Digest {
 public:
  enum class Algorithm : std::uint8_t { md5, sha256 };

  explicit Digest(Algorithm algorithm);
  ~Digest();
  Digest(Digest&&) noexcept = default;

  void add(std::string_view bytes);

  // Of all bytes so far; once, and nothing may be added afterwards. In hex as md5sum and sha256sum
  // show it.
  std::vector<std::uint8_t> finish();
  std::string finish_in_hex() { return hex(finish()); }

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace flowstore
