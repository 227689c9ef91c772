#include <algorithm>
#include <array>

#include "json/strings.h"
#include "json/text.h"

namespace flowstore::json {
namespace {

// The offset behind the string that starts with a quote at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  ++at;
  while (true) {
    while (at + 8 <= text.size() && !has_quote_or_backslash(text.data() + at)) at += 8;
    while (text[at] != '"' && text[at] != '\\') ++at;
    if (text[at] == '"') return at + 1;
    at += 2;
  }
}

// Characters that matter outside strings.
enum class Mark : std::uint8_t { none, quote, open, close };

constexpr std::array<Mark, 256> kMarks = [] {
  std::array<Mark, 256> marks{};
  marks['"'] = Mark::quote;
  marks['{'] = marks['['] = Mark::open;
  marks['}'] = marks[']'] = Mark::close;
  return marks;
}();

Mark mark_of(char c) noexcept { return kMarks[static_cast<unsigned char>(c)]; }

// The offset behind the value at `at`.
std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
  const char first = text[at];
  if (first == '"') return skip_string(text, at);
  if (first != '{' && first != '[') {
    while (at < text.size() && text[at] != ',' && mark_of(text[at]) != Mark::close) ++at;
    return at;
  }
  std::size_t depth = 0;
  do {
    const Mark mark = mark_of(text[at]);
    if (mark == Mark::quote) {
      at = skip_string(text, at);
      continue;
    }
    if (mark == Mark::open) ++depth;
    if (mark == Mark::close) --depth;
    ++at;
  } while (depth > 0);
  return at;
}

}  // namespace

Kind kind_of(std::string_view value) noexcept {
  switch (value.front()) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      return Kind::number;
  }
}

std::size_t depth_of(std::string_view value) noexcept {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  for (std::size_t at = 0; at < value.size();) {
    const char c = value[at];
    if (c == '"') {
      at = skip_string(value, at);
      continue;
    }
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return deepest;
}

Items::Items(std::string_view container) noexcept : text_(container) {}

bool Items::next() noexcept {
  if (at_ + 1 >= text_.size()) return false;  // at the closing bracket
  if (text_[at_] == ',') ++at_;
  if (text_.front() == '{') {
    const std::size_t end = skip_string(text_, at_);
    name_ = text_.substr(at_ + 1, end - at_ - 2);
    at_ = end + 1;  // behind the colon
  }
  const std::size_t end = skip_value(text_, at_);
  value_ = text_.substr(at_, end - at_);
  at_ = end;
  return true;
}

std::string_view leading_value(std::string_view text) noexcept {
  return text.substr(0, skip_value(text, 0));
}

}  // namespace flowstore::json
