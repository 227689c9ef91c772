#include "aws/digest.h"

#include <array>
#include <new>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

namespace flowstore::aws {
namespace {

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  Sha256 digest{};
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), as_bytes(bytes),
                          bytes.size(), digest.data(), nullptr);
  if (made == nullptr) throw std::bad_alloc();
  return digest;
}

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

void Crc32::add(std::string_view bytes) {
  value_ = static_cast<std::uint32_t>(::crc32_z(value_, as_bytes(bytes), bytes.size()));
}

std::string Crc32::in_base64() const {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(value_ >> (24U - 8U * i));
  }
  return base64(bytes);
}

}  // namespace flowstore::aws
