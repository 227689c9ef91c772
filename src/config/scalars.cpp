#include "config/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace flowstore::config {
namespace {

using Unit = std::pair<std::string_view, double>;

// 2^63: what fits file offsets.
constexpr double kTooMany = 9223372036854775808.0;

constexpr std::uint64_t kKib = 1024;
constexpr std::array<Unit, 9> kByteUnits = {
    Unit{"b", 1},           Unit{"kb", 1e3},           Unit{"mb", 1e6},
    Unit{"gb", 1e9},        Unit{"tb", 1e12},          Unit{"kib", 1024.0},
    Unit{"mib", 1048576.0}, Unit{"gib", 1073741824.0}, Unit{"tib", 1099511627776.0}};
constexpr std::array<Unit, 4> kTimeUnits = {Unit{"ms", 1}, Unit{"s", 1e3}, Unit{"m", 60e3},
                                            Unit{"h", 3600e3}};

// A number and what follows it, such as 1.5 and "GB".
struct Quantity {
  double number;
  std::string_view unit;
};

std::optional<Quantity> split(std::string_view text) {
  // from_chars also reads "inf" and "nan".
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  return Quantity{number, unit};
}

bool is_same_word(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

template <std::size_t N>
std::optional<double> scale(std::string_view unit, const std::array<Unit, N>& units) {
  for (const auto& [name, factor] : units) {
    if (is_same_word(unit, name)) return factor;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<bool> parse_flag(std::string_view text) {
  if (is_same_word(text, "true")) return true;
  if (is_same_word(text, "false")) return false;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  if (const auto exact = parse_digits(text)) return exact;
  const auto quantity = split(text);
  if (!quantity || !quantity->unit.empty()) return std::nullopt;
  const double number = quantity->number;
  if (number >= kTooMany || number != std::floor(number)) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  if (const auto whole = parse_whole(text)) return whole;
  const auto quantity = split(text);
  const auto factor = quantity ? scale(quantity->unit, kByteUnits) : std::nullopt;
  if (!factor) return std::nullopt;
  const double bytes = std::floor(quantity->number * *factor);
  if (bytes >= kTooMany) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) return std::nullopt;
  const auto factor = quantity->unit.empty() ? 1e3 : scale(quantity->unit, kTimeUnits);
  if (!factor) return std::nullopt;
  const double ms = std::round(quantity->number * *factor);
  if (ms > 1e11) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(ms));
}

std::string show_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"", "KiB", "MiB", "GiB", "TiB"};
  std::size_t power = 0;
  while (bytes != 0 && bytes % kKib == 0 && power + 1 < kNames.size()) {
    bytes /= kKib;
    ++power;
  }
  return std::to_string(bytes) + std::string(kNames[power]);
}

std::string show_duration(std::chrono::milliseconds duration) {
  const auto ms = duration.count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

}  // namespace flowstore::config
