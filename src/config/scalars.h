// Scalars: what the text of a YAML value means. The same whether it was quoted or not, since
// templates and environments quote at random.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flowstore::config {

// true or false.
std::optional<bool> parse_flag(std::string_view text);

// A whole number that is not negative: 3001, also 1.048576e+08 (how Helm renders large numbers).
std::optional<std::uint64_t> parse_whole(std::string_view text);

// Bytes: a whole number, or a number with kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB
// (powers of 1024), in any case.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

// A time: a number of seconds, or a number with ms, s, m or h. At most about three years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The shortest form that the functions above read back: 512MiB, 1500ms, 90s.
std::string show_bytes(std::uint64_t bytes);
std::string show_duration(std::chrono::milliseconds duration);

}  // namespace flowstore::config
