#include "api/url.h"

#include <algorithm>

#include "http/header_words.h"

namespace flowstore::api {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that text[at] == '%' stands for, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

unsigned char byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The bytes of the UTF-8 sequence at `at`; 0 if it is none (overlong, a surrogate, beyond U+10FFFF,
// cut off).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const unsigned char first = byte_at(text, at);
  const unsigned char second = byte_at(text, at + 1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !is_continuation(second)) return 0;
  if (first < 0xE0) return 2;
  if (!is_continuation(byte_at(text, at + 2))) return 0;
  if (first < 0xF0) {
    const bool is_overlong = first == 0xE0 && second < 0xA0;
    const bool is_surrogate = first == 0xED && second >= 0xA0;
    return is_overlong || is_surrogate ? 0 : 3;
  }
  const bool is_overlong = first == 0xF0 && second < 0x90;
  const bool is_too_large = first == 0xF4 && second >= 0x90;
  return is_overlong || is_too_large || !is_continuation(byte_at(text, at + 3)) ? 0 : 4;
}

std::string decode_query_word(std::string_view text) {
  std::string word(text);
  std::replace(word.begin(), word.end(), '+', ' ');
  auto decoded = percent_decode(word);
  return decoded ? *std::move(decoded) : word;
}

}  // namespace

Target split_target(std::string_view target) {
  // Two searches of whole words are a tenth of one that compares each byte with both.
  const std::size_t mark = std::min(target.find('?'), target.find('#'));
  Target parts;
  parts.path = target.substr(0, mark);
  if (mark == std::string_view::npos) return parts;
  parts.tail = target.substr(mark + 1);
  if (target[mark] == '?') parts.query = parts.tail;
  return parts;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  if (text.find('%') == std::string_view::npos) {
    if (is_utf8(text)) out = text;
    return out.size() == text.size() ? std::optional(std::move(out)) : std::nullopt;
  }
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out.push_back(text[at]);
      continue;
    }
    const int byte = escaped_byte(text, at);
    if (byte < 0) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    at += 2;
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    // Nearly all text is ASCII.
    const bool is_ascii = static_cast<unsigned char>(text[at]) < 0x80;
    const std::size_t length = is_ascii ? 1 : sequence_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::size_t utf16_length(std::string_view text) noexcept {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!is_continuation(byte)) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

Query::Query(std::string_view query) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const bool is_bare = equals == std::string_view::npos;
    parameters_.emplace_back(decode_query_word(pair.substr(0, equals)),
                             is_bare ? std::string() : decode_query_word(pair.substr(equals + 1)));
  }
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

bool Query::is_on(std::string_view name) const {
  const auto value = find(name);
  if (!value) return false;
  return *value != "0" && !http::equals_ignoring_case(*value, "false") &&
         !http::equals_ignoring_case(*value, "no");
}

std::vector<std::string_view> Query::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : parameters_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

}  // namespace flowstore::api
