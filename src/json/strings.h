// The inside of JSON strings: how JSON.stringify escapes.

#pragma once

#include <cstdint>
#include <string>

namespace flowstore::json {

// Appends a UTF-16 unit that may not stand in a string as it is: a control character, a quote, a
// backslash or a lone surrogate.
void append_escaped(std::string& out, std::uint32_t unit);

// Whether a unit needs that. Surrogates are the caller's business.
inline bool needs_escape(std::uint32_t unit) noexcept {
  return unit < 0x20 || unit == '"' || unit == '\\';
}

}  // namespace flowstore::json
