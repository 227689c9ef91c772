// What S3 asks for beside a digest, and how it is written.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace flowstore::aws {

// HMAC with SHA-256 (RFC 2104).
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

std::string base64(std::span<const std::uint8_t> bytes);

// The CRC-32 of bytes that come in pieces, as x-amz-checksum-crc32 shows it.
class Crc32 {
 public:
  void add(std::string_view bytes);
  std::string in_base64() const;

 private:
  std::uint32_t value_ = 0;
};

}  // namespace flowstore::aws
