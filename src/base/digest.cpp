#include "base/digest.h"

#include <stdexcept>

#include <openssl/evp.h>

namespace flowstore {
namespace {

// Fetched once: OpenSSL 3 otherwise searches its providers, under a lock, for every digest.
const EVP_MD* implementation_of(Digest::Algorithm algorithm) {
  static const EVP_MD* const kMd5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm == Digest::Algorithm::md5 ? kMd5 : kSha256;
}

// Without memory, or where the machine's policy forbids the algorithm.
void check(int outcome) {
  if (outcome != 1) throw std::runtime_error("OpenSSL cannot compute a digest");
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
  Sha256 digest;
  check(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr,
                   implementation_of(Digest::Algorithm::sha256), nullptr));
  return digest;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

void Digest::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Digest::Digest(Algorithm algorithm) : context_(EVP_MD_CTX_new()) {
  check(EVP_DigestInit_ex(context_.get(), implementation_of(algorithm), nullptr));
}

Digest::~Digest() = default;

void Digest::add(std::string_view bytes) {
  check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::vector<std::uint8_t> Digest::finish() {
  std::vector<std::uint8_t> digest(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
  digest.resize(size);
  return digest;
}

}  // namespace flowstore
