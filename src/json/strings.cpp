#include "json/strings.h"

#include <string_view>

#include "base/json_escape.h"
#include "json/text.h"
#include "json/unicode.h"

namespace flowstore::json {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::uint32_t hex_value(char digit) noexcept {
  const auto lower = static_cast<std::uint32_t>(digit | 0x20);
  return lower >= 'a' ? lower - 'a' + 10U : lower - '0';
}

std::uint32_t unescaped(char letter) noexcept {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return static_cast<unsigned char>(letter);
  }
}

// Appends one code point of well-formed UTF-8 and returns how many bytes it took.
std::size_t append_utf16(std::u16string& out, std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) {
    out.push_back(static_cast<char16_t>(lead));
    return 1;
  }
  const std::size_t length = lead < 0xE0 ? 2 : (lead < 0xF0 ? 3 : 4);
  std::uint32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code = (code << 6U) | (byte(i) & 0x3FU);
  if (code < 0x10000) {
    out.push_back(static_cast<char16_t>(code));
  } else {
    code -= 0x10000U;
    out.push_back(static_cast<char16_t>(0xD800U + (code >> 10U)));
    out.push_back(static_cast<char16_t>(0xDC00U + (code & 0x3FFU)));
  }
  return length;
}

}  // namespace

void append_escaped(std::string& out, std::uint32_t unit) {
  if (const auto known = short_escape(unit); !known.empty()) {
    out.append(known);
    return;
  }
  out.append("\\u");
  for (const std::uint32_t shift : {12U, 8U, 4U, 0U})
    out.push_back(kHexDigits[(unit >> shift) & 0xFU]);
}

std::u16string decode(std::string_view literal) {
  if (literal.starts_with('"')) literal = literal.substr(1, literal.size() - 2);
  std::u16string out;
  out.reserve(literal.size());
  for (std::size_t i = 0; i < literal.size();) {
    if (literal[i] != '\\') {
      i += append_utf16(out, literal.substr(i));
    } else if (literal[i + 1] != 'u') {
      out.push_back(static_cast<char16_t>(unescaped(literal[i + 1])));
      i += 2;
    } else {
      std::uint32_t unit = 0;
      for (std::size_t d = i + 2; d < i + 6; ++d) unit = (unit << 4U) | hex_value(literal[d]);
      out.push_back(static_cast<char16_t>(unit));
      i += 6;
    }
  }
  return out;
}

std::string encode(std::u16string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t unit = text[i];
    const bool is_pair =
        is_high_surrogate(unit) && i + 1 < text.size() && is_low_surrogate(text[i + 1]);
    if (is_pair) {
      append_utf8(out, code_point(unit, text[++i]));
    } else if (needs_escape(unit) || is_high_surrogate(unit) || is_low_surrogate(unit)) {
      append_escaped(out, unit);
    } else {
      append_utf8(out, unit);
    }
  }
  return out;
}

std::u16string utf16(std::string_view utf8) {
  std::u16string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    const bool is_ascii = static_cast<unsigned char>(utf8[i]) < 0x80;
    std::size_t bad = 0;
    if (is_ascii || utf8_sequence(utf8.substr(i), bad) != 0) {
      i += append_utf16(out, utf8.substr(i));
    } else {
      out.push_back(u'\uFFFD');
      i += bad;
    }
  }
  return out;
}

}  // namespace flowstore::json
