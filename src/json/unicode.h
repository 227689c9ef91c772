// UTF-8 and UTF-16, as the WHATWG encoding standard decodes them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flowstore::json {

inline bool is_high_surrogate(std::uint32_t unit) noexcept { return (unit & 0xFC00U) == 0xD800U; }
inline bool is_low_surrogate(std::uint32_t unit) noexcept { return (unit & 0xFC00U) == 0xDC00U; }
inline std::uint32_t code_point(std::uint32_t high, std::uint32_t low) noexcept {
  return 0x10000U + ((high - 0xD800U) << 10U) + (low - 0xDC00U);
}

// Length of the well-formed UTF-8 sequence of two to four bytes at the start of `text`; 0 if there
// is none. Then `bad` is how many bytes become one U+FFFD.
std::size_t utf8_sequence(std::string_view text, std::size_t& bad) noexcept;

void append_utf8(std::string& out, std::uint32_t code);

}  // namespace flowstore::json
