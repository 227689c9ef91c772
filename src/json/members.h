// Objects whose members JavaScript would put in another order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowstore::json {

// The array index that a (escaped) name stands for: "0" to "4294967294" without leading zeros.
// JavaScript orders such names first, by value. kNoIndex for any other name.
inline constexpr std::uint64_t kNoIndex = ~std::uint64_t{0};
std::uint64_t index_of(std::string_view name) noexcept;

// One member of an object as it stands in a text: `"name":value`.
struct MemberSpan {
  std::uint32_t begin = 0;
  std::uint32_t name_length = 0;  // without quotes
  std::uint32_t end = 0;

  std::string_view name(std::string_view text) const noexcept {
    return text.substr(begin + 1, name_length);
  }
};

// Remembers which objects of a text must be written in another order, and writes the text so. Each
// byte is moved once, however the objects lie within each other.
class MemberOrder {
 public:
  // Looks at the members of the object [begin, end) of `text`; objects come in the order in which
  // they end.
  void add(std::string_view text, std::uint32_t begin, std::uint32_t end,
           std::span<const MemberSpan> members);

  bool is_empty() const noexcept { return objects_.empty(); }

  // The text with every object in JavaScript's order, of equal names the last value only.
  std::string apply(std::string_view text);

 private:
  struct Object {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::vector<MemberSpan> members;  // in the new order
  };

  bool has_duplicates(std::string_view text, std::span<const MemberSpan> members);
  std::size_t first_within(std::uint32_t begin) const;

  std::vector<Object> objects_;
  std::vector<std::uint32_t> slots_;  // scratch of has_duplicates
};

}  // namespace flowstore::json
