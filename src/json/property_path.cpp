#include "json/property_path.h"

#include <algorithm>

#include "json/number.h"
#include "json/text.h"
#include "json/unicode.h"

namespace flowstore::json {
namespace {

bool is_digit(char16_t c) noexcept { return c >= u'0' && c <= u'9'; }
bool is_quote(char16_t c) noexcept { return c == u'"' || c == u'\''; }

// What may follow a dot.
bool is_name_start(char16_t c) noexcept {
  return is_digit(c) || (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z') || c == u'$' ||
         c == u'_';
}

bool is_all_digits(std::u16string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

PathPart name_part(std::u16string_view text) {
  return PathPart(PathPart::Kind::name, encode(text));
}

// Digits are ASCII, so each is one byte.
PathPart index_part(std::u16string_view digits) {
  const double value = parse_number(std::string(digits.begin(), digits.end()));
  std::string name;
  append_number(name, value);
  return PathPart(PathPart::Kind::index, std::move(name), value);
}

Error invalid(std::string message) {
  return Error(ErrorKind::invalid, "INVALID_EXPR", std::move(message));
}

Error invalid_at(const std::string& what, std::size_t position) {
  return invalid("Invalid property expression: " + what + " at position " +
                 std::to_string(position));
}

// One unit as text for a message. Half of a pair stays a half: JavaScript shows it so, too.
std::string shown(char16_t unit) {
  std::string text;
  append_utf8(text, unit);
  return text;
}

// More than a path in a URL can have, and more than values may be nested: parts take a hundred
// times the memory of the text that they stand in.
constexpr std::size_t kMostParts = 10'000;

// Reads from left to right with a mark where the open name started.
class PathParser {
 public:
  PathParser(std::u16string_view text, const Refer& refer) : text_(text), refer_(refer) {}

  Result<std::vector<PathPart>> parse() {
    if (text_.empty()) return invalid("Invalid property expression: zero-length");
    for (; at_ < text_.size(); ++at_) {
      const char16_t c = text_[at_];
      if (quote_ != 0) {
        if (c == quote_) FLOWSTORE_TRY_STATUS(end_quotes());
      } else if (is_quote(c)) {
        FLOWSTORE_TRY_STATUS(begin_quotes(c));
      } else if (c == u'.') {
        FLOWSTORE_TRY_STATUS(dot());
      } else if (c == u'[') {
        FLOWSTORE_TRY_STATUS(open_bracket());
      } else if (c == u']') {
        FLOWSTORE_TRY_STATUS(close_bracket());
      } else if (c == u' ') {
        return invalid_at("unexpected ' '", at_);
      }
      if (parts_.size() > kMostParts) {
        return Error(ErrorKind::invalid, "", "Maximum call stack size exceeded");
      }
    }
    if (is_in_brackets_ || quote_ != 0) return unterminated();
    if (has_open_name()) parts_.push_back(name_part(open_name()));
    return std::move(parts_);
  }

 private:
  Status unexpected(std::size_t position) const {
    return invalid_at("unexpected " + shown(text_[position]), position);
  }
  static Error unterminated() {
    return invalid("Invalid property expression: unterminated expression");
  }
  bool is_last() const noexcept { return at_ + 1 == text_.size(); }
  bool has_open_name() const noexcept { return mark_ < at_; }
  std::u16string_view open_name() const noexcept { return text_.substr(mark_, at_ - mark_); }
  void mark_next() noexcept { mark_ = at_ + 1; }

  Status begin_quotes(char16_t quote) {
    if (has_open_name()) return unexpected(at_);
    quote_ = quote;
    mark_next();
    return {};
  }

  Status end_quotes() {
    if (!has_open_name()) return invalid_at("zero-length string", mark_);
    parts_.push_back(name_part(open_name()));
    const bool is_box_closed = !is_last() && text_[at_ + 1] == u']';
    if (is_in_brackets_ && !is_box_closed) return invalid_at("unexpected array expression", mark_);
    if (!is_in_brackets_ && !is_last() && text_[at_ + 1] != u'[' && text_[at_ + 1] != u'.') {
      return invalid_at("unexpected " + shown(text_[at_ + 1]) + " expression", at_ + 1);
    }
    quote_ = 0;
    mark_next();
    return {};
  }

  Status dot() {
    if (at_ == 0) return unexpected(at_);
    if (has_open_name()) {
      parts_.push_back(is_all_digits(open_name()) ? index_part(open_name())
                                                  : name_part(open_name()));
    }
    if (is_last()) return unterminated();
    if (!is_name_start(text_[at_ + 1])) return unexpected(at_ + 1);
    mark_next();
    return {};
  }

  Status open_bracket() {
    if (at_ == 0) return unexpected(at_);
    if (has_open_name()) parts_.push_back(name_part(open_name()));
    if (is_last()) return unterminated();
    const std::u16string_view inner = text_.substr(at_ + 1);
    if (inner.starts_with(u"msg.") || inner.starts_with(u"msg[")) return cross_reference();
    if (!is_quote(inner.front()) && !is_digit(inner.front())) return unexpected(at_ + 1);
    mark_next();
    is_in_brackets_ = true;
    return {};
  }

  Status cross_reference() {
    const std::size_t begin = at_ + 1;
    const std::size_t end = balancing_bracket(begin);
    if (end == text_.size()) return invalid_at("unmatched '['", at_);
    auto part = refer_(text_.substr(begin, end - begin));
    if (!part) return invalid("Invalid expression started at position " + std::to_string(begin));
    parts_.push_back(*std::move(part));
    is_in_brackets_ = false;
    at_ = end;
    mark_next();
    return {};
  }

  // The bracket that closes the one before `at`. Brackets within quotes count, too: Node-RED looks
  // at quotes and does nothing about them.
  std::size_t balancing_bracket(std::size_t at) const noexcept {
    for (std::size_t depth = 1; at < text_.size(); ++at) {
      if (text_[at] == u'[') ++depth;
      if (text_[at] == u']' && --depth == 0) break;
    }
    return at;
  }

  Status close_bracket() {
    if (!is_in_brackets_) return unexpected(at_);
    if (has_open_name()) {
      if (!is_all_digits(open_name())) return invalid_at("unexpected array expression", mark_);
      parts_.push_back(index_part(open_name()));
    }
    mark_next();
    is_in_brackets_ = false;
    return {};
  }

  std::u16string_view text_;
  const Refer& refer_;
  std::vector<PathPart> parts_;
  std::size_t at_ = 0;
  std::size_t mark_ = 0;
  char16_t quote_ = 0;  // the quote that ends the name, 0 outside quotes
  bool is_in_brackets_ = false;
};

// String(array): the items with commas between them, null as nothing, objects by their class.
std::string joined(std::string_view array) {
  std::string out;
  for (std::size_t at = 0; at < array.size();) {
    if (array[at] == '[' || array[at] == ']') {
      ++at;
    } else if (array[at] == ',') {
      out.push_back(array[at++]);
    } else {
      const std::string_view value = leading_value(array.substr(at));
      const Kind kind = kind_of(value);
      if (kind == Kind::object) out.append("[object Object]");
      if (kind == Kind::string) out.append(value.substr(1, value.size() - 2));
      if (kind == Kind::number || kind == Kind::boolean) out.append(value);
      at += value.size();
    }
  }
  return out;
}

}  // namespace

PathPart part_of(std::string_view value) {
  switch (kind_of(value)) {
    case Kind::string:
      return PathPart(PathPart::Kind::name, std::string(value.substr(1, value.size() - 2)));
    case Kind::number:
      return PathPart(PathPart::Kind::index, std::string(value), parse_number(value));
    case Kind::object:
      return PathPart(PathPart::Kind::other, "[object Object]");
    case Kind::array:
      return PathPart(PathPart::Kind::other, joined(value));
    case Kind::boolean:
    case Kind::null:
      break;
  }
  return PathPart(PathPart::Kind::other, std::string(value));
}

Result<std::vector<PathPart>> parse_path(std::u16string_view expression, const Refer& refer) {
  return PathParser(expression, refer).parse();
}

}  // namespace flowstore::json
