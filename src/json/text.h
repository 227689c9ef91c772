// JSON text as JavaScript sees it.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flowstore::json {

// Arrays and objects within each other. Node.js itself gives up between 4,000 and 5,000.
inline constexpr std::size_t kMaxDepth = 4000;

// How a number that is too large for a double is written: as JSON.stringify does, or as 1e999 or
// -1e999, for whoever looks at values first. To JavaScript they are infinite until they are
// written.
enum class TooLarge : std::uint8_t { null, infinite };

// What canonical() made of a text.
struct Canonical {
  Canonical() = default;

  // Byte for byte what JSON.stringify(JSON.parse(text)) gives: numbers as doubles, the last of
  // equal names at the place of the first, integer-like names first, lone surrogates as \udXXX.
  std::string text;
  // Some bytes were no UTF-8; each such piece stands in the text as U+FFFD.
  bool had_bad_utf8 = false;
};

// Checks and rewrites a JSON text in one pass. Time and memory are linear in its length. Errors,
// all of kind invalid: code "" message "Maximum call stack size exceeded" beyond kMaxDepth; code
// "FST_ERR_CTP_INVALID_JSON_BODY" for what is not JSON, and for a member `__proto__` or
// `constructor.prototype` anywhere, which the old server refuses (it could change all objects
// there).
Result<Canonical> canonical(std::string_view text, TooLarge too_large = TooLarge::null);

// The same for text from the database, where such members are data like any other; the error's
// message says what is wrong and where.
Result<Canonical> canonical_stored(std::string_view text);

enum class Kind : std::uint8_t { object, array, string, number, boolean, null };

// Of canonical text.
Kind kind_of(std::string_view value) noexcept;

// Levels of arrays and objects in canonical text; 0 for a scalar.
std::size_t depth_of(std::string_view value) noexcept;

// Walks over the items of an array or the members of an object, in order, without looking into
// them. The text is canonical and lives as long as the walk.
class Items {
 public:
  explicit Items(std::string_view container) noexcept;

  // Moves to the next item; false at the end. Before the first call there is no item.
  bool next() noexcept;

  // The name as it stands in the text, escaped, without quotes: equal names have equal text. Empty
  // in arrays.
  std::string_view name() const noexcept { return name_; }
  std::string_view value() const noexcept { return value_; }

 private:
  std::string_view text_;
  std::size_t at_ = 1;  // behind the bracket, a comma, or the last item
  std::string_view name_;
  std::string_view value_;
};

// The value with which `text` begins; what follows it is a comma, a bracket or the end.
std::string_view leading_value(std::string_view text) noexcept;

// The content of a canonical string literal (with or without its quotes) in UTF-16.
std::u16string decode(std::string_view literal);
// UTF-16 as the content of a canonical string literal, without quotes.
std::string encode(std::u16string_view text);
// UTF-8 to UTF-16; what is no UTF-8 becomes U+FFFD.
std::u16string utf16(std::string_view utf8);

}  // namespace flowstore::json
