// How values are read and shown that several options have in common.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/scalars.h"
#include "config/value.h"

namespace flowstore::config {

inline std::string show_limit(std::optional<std::uint64_t> limit) {
  return limit ? show_bytes(*limit) : "none";
}

inline std::string show_flag(bool flag) { return flag ? "true" : "false"; }

inline std::string show_text(const std::string& text) { return text.empty() ? "none" : text; }

// 0, false or an empty text means no limit, as in the old server.
inline void read_limit(const Value& value, std::optional<std::uint64_t>& limit) {
  if (value.is_falsy()) {
    limit.reset();
  } else if (const auto bytes = value.bytes()) {
    limit = *bytes == 0 ? std::nullopt : bytes;  // 0B, 0.1
  }
}

// An empty text is as good as none, as in JavaScript: what `into` holds stays.
inline void read_optional_text(const Value& value, std::string& into) {
  auto text = value.optional_text();
  if (text && !text->empty()) into = *std::move(text);
}

}  // namespace flowstore::config
