// Characters: the unit of the context quota.

#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flowstore::context {

// Unicode code points of UTF-8 text, as LENGTH() counts them in SQLite and PostgreSQL.
inline std::uint64_t characters(std::string_view text) noexcept {
  const auto is_lead = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), is_lead));
}

// Whether a row may become `after` characters long instead of `before`, in a project that holds
// `total` characters with it. What does not grow is never refused; reaching the limit is allowed.
inline bool fits(std::uint64_t total, std::uint64_t before, std::uint64_t after,
                 std::optional<std::uint64_t> limit) noexcept {
  return !limit || after <= before || total - before + after <= *limit;
}

}  // namespace flowstore::context
