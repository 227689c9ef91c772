#include "auth/siphash.h"

#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <sys/random.h>

namespace flowstore::auth {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

SipHash::Key SipHash::random_key() {
  Key key;
  // Up to 256 bytes are never cut short.
  if (::getrandom(&key, sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return key;
}

// The constants spell "somepseudorandomlygeneratedbytes"; 0xee selects 128 bits of output.
SipHash::SipHash(const Key& key) noexcept
    : state_{key.first ^ 0x736f6d6570736575, key.second ^ 0x646f72616e646f6d ^ 0xee,
             key.first ^ 0x6c7967656e657261, key.second ^ 0x7465646279746573} {}

void SipHash::add(std::string_view bytes) noexcept {
  // Whole words first, each made of what is pending and the beginning of the next eight bytes.
  const auto filled = 8 * (length_ % 8);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    add_word(pending_ | word << filled);
    pending_ = filled == 0 ? 0 : word >> (64 - filled);
    length_ += 8;
  }
  for (const char c : bytes) {
    pending_ |= std::uint64_t{static_cast<unsigned char>(c)} << (8 * (length_ % 8));
    if (++length_ % 8 == 0) add_word(std::exchange(pending_, 0));
  }
}

HashValue SipHash::finish() noexcept {
  add_word(pending_ | length_ << 56);
  state_[2] ^= 0xee;
  rounds(4);
  HashValue value;
  value.low = state_[0] ^ state_[1] ^ state_[2] ^ state_[3];
  state_[1] ^= 0xdd;
  rounds(4);
  value.high = state_[0] ^ state_[1] ^ state_[2] ^ state_[3];
  return value;
}

void SipHash::add_word(std::uint64_t word) noexcept {
  state_[3] ^= word;
  rounds(2);
  state_[0] ^= word;
}

void SipHash::rounds(int count) noexcept {
  auto& [a, b, c, d] = state_;
  for (int i = 0; i < count; ++i) {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
}

}  // namespace flowstore::auth
