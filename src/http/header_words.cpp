#include "http/header_words.h"

#include <algorithm>

namespace flowstore::http {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_letter_or_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

bool is_word(char c) noexcept { return is_letter_or_digit(c) || c == '_'; }

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> find_header(std::span<const Header> headers,
                                            std::string_view name) noexcept {
  for (const Header& header : headers) {
    // Most names differ in length, and every request is asked for a dozen of them.
    if (header.name.size() != name.size()) continue;
    if (equals_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

bool is_token(char c) noexcept {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return is_letter_or_digit(c) || kOthers.find(c) != std::string_view::npos;
}

bool is_field_text(char c) noexcept {
  return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
}

bool is_continue(std::string_view expectation) noexcept {
  constexpr std::string_view kWord = "100-continue";
  for (std::size_t at = 0; at + kWord.size() <= expectation.size(); ++at) {
    if (!equals_ignoring_case(expectation.substr(at, kWord.size()), kWord)) continue;
    const std::size_t end = at + kWord.size();
    const bool starts = at == 0 || !is_word(expectation[at - 1]);
    const bool ends = end == expectation.size() || !is_word(expectation[end]);
    if (starts && ends) return true;
  }
  return false;
}

std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
  return find_header(headers_, name);
}

}  // namespace flowstore::http
