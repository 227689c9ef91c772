// Digests that S3 asks for, and how they are written.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace flowstore::aws {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
// HMAC with SHA-256 (RFC 2104).
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

// Lower case.
std::string hex(std::span<const std::uint8_t> bytes);
std::string base64(std::span<const std::uint8_t> bytes);

// The MD5 of bytes that come in pieces: what S3 calls the entity tag of a plainly stored object.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(Md5&&) noexcept = default;

  void add(std::string_view bytes);
  // In hex. Nothing may be added afterwards.
  std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// The CRC-32 of bytes that come in pieces, as x-amz-checksum-crc32 shows it.
class Crc32 {
 public:
  void add(std::string_view bytes);
  std::string in_base64() const;

 private:
  std::uint32_t value_ = 0;
};

}  // namespace flowstore::aws
