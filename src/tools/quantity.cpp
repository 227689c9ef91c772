#include "tools/quantity.h"

#include <array>
#include <cstdio>

namespace flowstore::tools {

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr double kStep = 1024;
  // What would be shown as 1024 of one unit is 1 of the next.
  constexpr double kAlmost = 1023.5;
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / kStep;
  std::size_t unit = 0;
  for (; value >= kAlmost && unit + 1 < kUnits.size(); ++unit) value /= kStep;
  std::array<char, 32> text{};
  const int digits = value < 9.95 ? 1 : 0;
  std::snprintf(text.data(), text.size(), "%.*f %s", digits, value, kUnits.at(unit));
  return text.data();
}

std::string counted(std::uint64_t number, const std::string& singular) {
  return grouped(number) + " " + singular + (number == 1 ? "" : "s");
}

}  // namespace flowstore::tools
