#include "auth/siphash.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace flowstore::auth {
namespace {

// 00 01 02 ... 0f, the key of the reference vectors.
constexpr SipHash::Key counting_key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string counting_bytes(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

HashValue hash_of(std::string_view bytes) {
  SipHash hash(counting_key);
  hash.add(bytes);
  return hash.finish();
}

HashValue openssl_hash_of(std::string_view bytes) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> algorithm(
      EVP_MAC_fetch(nullptr, "SIPHASH", nullptr), &EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(
      EVP_MAC_CTX_new(algorithm.get()), &EVP_MAC_CTX_free);
  std::size_t size = 16;
  const OSSL_PARAM options[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                OSSL_PARAM_construct_end()};
  const auto* key = reinterpret_cast<const unsigned char*>(&counting_key);
  EXPECT_EQ(EVP_MAC_init(context.get(), key, sizeof counting_key, options), 1);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  EXPECT_EQ(EVP_MAC_update(context.get(), data, bytes.size()), 1);
  std::array<unsigned char, 16> result{};
  EXPECT_EQ(EVP_MAC_final(context.get(), result.data(), &size, result.size()), 1);
  HashValue value;
  std::memcpy(&value, result.data(), sizeof value);
  return value;
}

TEST(SipHash, AgreesWithOpensslForEveryLength) {
  for (std::size_t length = 0; length < 80; ++length) {
    const std::string bytes = counting_bytes(length);
    EXPECT_EQ(hash_of(bytes), openssl_hash_of(bytes)) << length;
  }
}

TEST(SipHash, DoesNotDependOnHowTheBytesAreCut) {
  const std::string bytes = counting_bytes(40);
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    SipHash hash(counting_key);
    hash.add(std::string_view(bytes).substr(0, first));
    hash.add(std::string_view(bytes).substr(first));
    EXPECT_EQ(hash.finish(), hash_of(bytes)) << first;
  }
}

TEST(SipHash, TakesAnotherKeyEveryTime) {
  const SipHash::Key one = SipHash::random_key();
  const SipHash::Key other = SipHash::random_key();
  EXPECT_TRUE(one.first != other.first || one.second != other.second);
}

}  // namespace
}  // namespace flowstore::auth
