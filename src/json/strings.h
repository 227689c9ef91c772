// The inside of JSON strings: how JSON.stringify escapes.

#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace flowstore::json {

// Appends a UTF-16 unit that may not stand in a string as it is: a control character, a quote, a
// backslash or a lone surrogate.
void append_escaped(std::string& out, std::uint32_t unit);

// Whether a unit needs that. Surrogates are the caller's business.
inline bool needs_escape(std::uint32_t unit) noexcept {
  return unit < 0x20 || unit == '"' || unit == '\\';
}

// Eight bytes at once (Bit Twiddling Hacks, "Determine if a word has a byte less than n"): the high
// bit of a byte is set in what zero_bytes() gives if the byte is 0, and perhaps in bytes behind it.
constexpr std::uint64_t every_byte(unsigned char value) noexcept {
  return 0x0101010101010101U * value;
}
constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept {
  return (word - every_byte(1)) & ~word & every_byte(0x80);
}
inline std::uint64_t eight_bytes(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

inline bool has_quote_or_backslash(const char* at) noexcept {
  const std::uint64_t word = eight_bytes(at);
  return (zero_bytes(word ^ every_byte('"')) | zero_bytes(word ^ every_byte('\\'))) != 0;
}

// Whether one of eight bytes ends a plain run inside a string: a quote, a backslash, a control
// character or anything beyond ASCII.
inline bool has_special(const char* at) noexcept {
  const std::uint64_t word = eight_bytes(at);
  const std::uint64_t other = ((word - every_byte(0x20)) | word) & every_byte(0x80);
  return has_quote_or_backslash(at) || other != 0;
}

}  // namespace flowstore::json
