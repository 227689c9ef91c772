#include "json/text.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "json/members.h"
#include "json/number.h"
#include "json/strings.h"
#include "json/unicode.h"

namespace flowstore::json {
namespace {

enum class Origin : std::uint8_t { request, store };

// Offsets are 32 bits; no body and no database field comes near.
constexpr std::size_t kMostBytes = std::size_t{1} << 31U;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Digits that a double always gives back as they were.
constexpr std::size_t kSafeDigits = 15;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Reads one text and writes it as JSON.stringify would. No recursion: open containers are frames.
// What is already as it should be is not written piece by piece: it is kept, and copied in one go
// when something else comes between.
class Canonicaliser {
 public:
  Canonicaliser(std::string_view text, Origin origin, TooLarge too_large)
      : begin_(text.data()),
        at_(begin_),
        kept_(begin_),
        end_(begin_ + text.size()),
        origin_(origin),
        too_large_(too_large) {}

  Result<Canonical> run() {
    if (static_cast<std::size_t>(end_ - begin_) >= kMostBytes) return refuse("too long");
    out_.reserve(static_cast<std::size_t>(end_ - begin_) + 8);
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(kByteOrderMark))
      drop_until(at_ + 3);
    const bool is_read = read_all();
    if (is_too_deep_) return Error(ErrorKind::invalid, "", "Maximum call stack size exceeded");
    if (!is_read) return refuse("unexpected");
    keep_until(at_);
    Canonical canonical;
    canonical.text = order_.is_empty() ? std::move(out_) : order_.apply(out_);
    canonical.had_bad_utf8 = had_bad_utf8_;
    return canonical;
  }

 private:
  struct Frame {
    bool is_object = false;
    bool has_prototype = false;   // has a member of that name
    bool is_constructor = false;  // is the value of a member of that name
    std::uint32_t begin = 0;      // of the bracket in out_
    std::size_t first_member = 0;
  };

  Error refuse(std::string_view what) const {
    if (origin_ == Origin::request) {
      return Error(ErrorKind::invalid, "FST_ERR_CTP_INVALID_JSON_BODY",
                   "Body is not valid JSON but content-type is set to 'application/json'");
    }
    return Error(ErrorKind::invalid, "",
                 "The stored values are not JSON: " + std::string(what) + " at position " +
                     std::to_string(at_ - begin_));
  }

  bool read_all() {
    skip_space();
    do {
      if (!read_value()) return false;
      if (!close_what_ended()) return false;
    } while (!frames_.empty());
    return at_ == end_;
  }

  // A scalar, an empty container, or the beginning of a container up to its first value.
  bool read_value() {
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
        return open(true);
      case '[':
        return open(false);
      case '"':
        ++at_;
        return read_string();
      case 't':
        return read_word("true");
      case 'f':
        return read_word("false");
      case 'n':
        return read_word("null");
      default:
        return read_number();
    }
  }

  bool open(bool is_object) {
    if (frames_.size() == kMaxDepth) {
      is_too_deep_ = true;
      return false;
    }
    Frame frame;
    frame.is_object = is_object;
    frame.is_constructor = std::exchange(is_constructor_next_, false);
    frame.begin = position();
    frame.first_member = members_.size();
    frames_.push_back(frame);
    ++at_;
    skip_space();
    if (at_ != end_ && *at_ == (is_object ? '}' : ']')) return true;
    is_value_next_ = true;  // read by the loop in read_all, not by recursion
    return !is_object || read_name();
  }

  // After a value: commas and closing brackets, until another value must come or all is closed.
  bool close_what_ended() {
    if (std::exchange(is_value_next_, false)) return true;
    while (true) {
      is_constructor_next_ = false;
      skip_space();
      if (frames_.empty()) return true;
      if (at_ == end_) return false;
      Frame& frame = frames_.back();
      const bool is_first = position() == frame.begin + 1;  // an empty container
      if (frame.is_object && !is_first) members_.back().end = position();
      if (*at_ == ',' && !is_first) {
        ++at_;
        skip_space();
        return !frame.is_object || read_name();
      }
      if (*at_ != (frame.is_object ? '}' : ']')) return false;
      ++at_;
      if (!close(frame)) return false;
    }
  }

  bool close(const Frame& frame) {
    const bool is_poison = frame.is_constructor && frame.has_prototype;
    if (is_poison && origin_ == Origin::request) return false;
    if (members_.size() > frame.first_member + 1) {
      keep_until(at_);
      order_.add(out_, frame.begin, position(), std::span(members_).subspan(frame.first_member));
    }
    members_.resize(frame.first_member);
    frames_.pop_back();
    return true;
  }

  // A name and its colon.
  bool read_name() {
    if (at_ == end_ || *at_ != '"') return false;
    const char* const from = at_++;
    MemberSpan member;
    member.begin = position() - 1;
    if (!read_string()) return false;
    member.name_length = position() - member.begin - 2;
    const bool is_as_it_was = kept_ <= from;
    if (!is_as_it_was) keep_until(at_);
    const std::string_view name =
        is_as_it_was ? std::string_view(from + 1, member.name_length) : member.name(out_);
    if (name == "__proto__" && origin_ == Origin::request) return false;
    if (name == "prototype") frames_.back().has_prototype = true;
    is_constructor_next_ = name == "constructor";
    members_.push_back(member);
    skip_space();
    if (at_ == end_ || *at_ != ':') return false;
    ++at_;
    skip_space();
    return true;
  }

  // Behind the opening quote.
  bool read_string() {
    while (true) {
      while (end_ - at_ >= 8 && !has_special(at_)) at_ += 8;
      while (at_ != end_ && is_plain(*at_)) ++at_;
      if (at_ == end_) return false;
      const char c = *at_;
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!read_escape()) return false;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        return false;
      } else {
        read_beyond_ascii();
      }
    }
  }

  static bool is_plain(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x80 && !needs_escape(byte);
  }

  void read_beyond_ascii() {
    std::size_t bad = 0;
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    const std::size_t length = utf8_sequence(rest, bad);
    if (length > 0) {
      at_ += length;
      return;
    }
    keep_until(at_);
    out_.append("\xEF\xBF\xBD");
    drop_until(at_ + bad);
    had_bad_utf8_ = true;
  }

  bool read_escape() {
    const char* const from = at_++;
    if (at_ == end_) return false;
    switch (*at_++) {
      case '"':
      case '\\':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        return true;
      case '/':
        keep_until(from);
        kept_ = from + 1;
        return true;
      case 'u':
        keep_until(from);
        if (!read_unicode_escape()) return false;
        drop_until(at_);
        return true;
      default:
        return false;
    }
  }

  bool read_unicode_escape() {
    std::uint32_t unit = 0;
    if (!read_hex(unit)) return false;
    const bool may_be_pair =
        is_high_surrogate(unit) && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u';
    if (may_be_pair) {
      const char* const second = at_;
      std::uint32_t low = 0;
      at_ += 2;
      if (!read_hex(low)) return false;
      if (is_low_surrogate(low)) {
        append_utf8(out_, code_point(unit, low));
        return true;
      }
      at_ = second;
    }
    if (needs_escape(unit) || is_high_surrogate(unit) || is_low_surrogate(unit)) {
      append_escaped(out_, unit);
    } else {
      append_utf8(out_, unit);
    }
    return true;
  }

  bool read_hex(std::uint32_t& unit) {
    if (end_ - at_ < 4) return false;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char lower = static_cast<char>(*at_ | 0x20);
      if (is_digit(*at_)) {
        unit = (unit << 4U) | static_cast<std::uint32_t>(*at_ - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        unit = (unit << 4U) | static_cast<std::uint32_t>(lower - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  std::size_t read_digits() {
    const char* const from = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return static_cast<std::size_t>(at_ - from);
  }

  bool read_number() {
    const char* const from = at_;
    if (*at_ == '-') ++at_;
    const char* const whole = at_;
    const std::size_t whole_digits = read_digits();
    if (whole_digits == 0 || (*whole == '0' && whole_digits > 1)) return false;
    std::size_t decimals = 0;
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      decimals = read_digits();
      if (decimals == 0) return false;
    }
    const bool has_exponent = at_ != end_ && (*at_ == 'e' || *at_ == 'E');
    if (has_exponent) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (read_digits() == 0) return false;
    }
    const std::string_view text(from, static_cast<std::size_t>(at_ - from));
    const bool is_exact = !has_exponent && whole_digits + decimals <= kSafeDigits;
    if (is_exact && is_shortest(text, decimals)) return true;
    keep_until(from);
    write_number(parse_number(text));
    drop_until(at_);
    return true;
  }

  // Whether few digits without an exponent are what JavaScript writes: no zeros at the end, not so
  // small that an exponent would come, and not minus zero.
  static bool is_shortest(std::string_view text, std::size_t decimals) noexcept {
    if (decimals == 0) return text != "-0";
    const char first = text.front() == '-' ? text[1] : text.front();
    return text.back() != '0' && (first != '0' || decimals <= 6);
  }

  void write_number(double value) {
    if (std::isfinite(value)) return append_number(out_, value);
    if (too_large_ == TooLarge::null) {
      out_.append("null");
    } else {
      out_.append(value < 0 ? "-1e999" : "1e999");
    }
  }

  bool read_word(std::string_view word) {
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    if (!rest.starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void skip_space() {
    if (at_ == end_ || !is_space(*at_)) return;
    keep_until(at_);
    do {
      ++at_;
    } while (at_ != end_ && is_space(*at_));
    drop_until(at_);
  }
  static bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  // Copies what has been read as it is.
  void keep_until(const char* end) {
    out_.append(kept_, end);
    kept_ = end;
  }
  // Goes on at `next` without copying what lies before.
  void drop_until(const char* next) noexcept {
    at_ = next;
    kept_ = next;
  }

  // Where in the written text that is which is read next.
  std::uint32_t position() const noexcept {
    return static_cast<std::uint32_t>(out_.size() + static_cast<std::size_t>(at_ - kept_));
  }

  const char* begin_;
  const char* at_;
  const char* kept_;  // from here to at_ the text is as it should be, and not yet copied
  const char* end_;
  Origin origin_;
  TooLarge too_large_;
  std::string out_;
  std::vector<Frame> frames_;
  std::vector<MemberSpan> members_;  // of all open objects, one behind the other
  MemberOrder order_;
  bool is_value_next_ = false;
  bool is_constructor_next_ = false;  // the next value belongs to a member called "constructor"
  bool is_too_deep_ = false;
  bool had_bad_utf8_ = false;
};

}  // namespace

Result<Canonical> canonical(std::string_view text, TooLarge too_large) {
  return Canonicaliser(text, Origin::request, too_large).run();
}

Result<Canonical> canonical_stored(std::string_view text) {
  return Canonicaliser(text, Origin::store, TooLarge::null).run();
}

}  // namespace flowstore::json
