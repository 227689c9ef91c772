// SipHash-2-4 with 128 bits of output: a short keyed hash.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flowstore::auth {

// 128 bits that stand for what was hashed.
struct HashValue {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  // In constant time: how far a comparison gets would tell who guesses hashes that they get warmer.
  bool operator==(const HashValue& other) const noexcept {
    return ((low ^ other.low) | (high ^ other.high)) == 0;
  }
};

// Without the key nobody can compute a hash, find two texts with the same one, or work back from
// it. See https://www.aumasson.jp/siphash/siphash.pdf. Takes about a nanosecond a byte and
// allocates nothing.
class SipHash {
 public:
  struct Key {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
  };

  // A key from the kernel's random numbers. Throws std::system_error if there are none.
  static Key random_key();

  explicit SipHash(const Key& key) noexcept;

  // How the bytes are cut into pieces makes no difference.
  void add(std::string_view bytes) noexcept;
  // The hash of all bytes so far. Ends the use of the object.
  HashValue finish() noexcept;

 private:
  void rounds(int count) noexcept;
  void add_word(std::uint64_t word) noexcept;

  std::array<std::uint64_t, 4> state_;
  std::uint64_t pending_ = 0;  // bytes that do not fill a word yet, the first one lowest
  std::uint64_t length_ = 0;
};

}  // namespace flowstore::auth
