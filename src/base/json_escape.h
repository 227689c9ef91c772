// The short forms of JSON.

#pragma once

#include <cstdint>
#include <string_view>

namespace flowstore {

// How a character stands in a JSON string that has a form of two letters there; empty if it has
// none.
constexpr std::string_view short_escape(std::uint32_t character) noexcept {
  switch (character) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return "";
  }
}

}  // namespace flowstore
