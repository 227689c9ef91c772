#include "metrics/text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace flowstore::metrics {
namespace {

// Escapes what would end a line or a quoted value.
void append_escaped(std::string& out, std::string_view text, bool is_quoted) {
  for (const char c : text) {
    if (c == '\n') {
      out.append("\\n");
      continue;
    }
    if (c == '\\' || (c == '"' && is_quoted)) out.push_back('\\');
    out.push_back(c);
  }
}

template <class Number>
std::string shortest(Number value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // "100000", where the shortest text of a double is "1e+05".
  const bool is_whole = std::abs(value) < 1e15 && std::trunc(value) == value;
  return is_whole ? shortest(static_cast<std::int64_t>(value)) : shortest(value);
}

void append_header(std::string& out, std::string_view name, std::string_view help,
                   std::string_view type) {
  out.append("# HELP ").append(name).append(" ");
  append_escaped(out, help, false);
  out.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void append_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels.push_back(',');
  labels.append(name).append("=\"");
  append_escaped(labels, value, true);
  labels.push_back('"');
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(number_text(value)).append("\n");
}

void append_histogram(std::string& out, std::string_view name, std::string_view labels,
                      std::span<const double> bounds, std::span<const std::uint64_t> counts,
                      double sum) {
  std::uint64_t total = 0;
  const std::string bucket = std::string(name) + "_bucket";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    std::string with_bound(labels);
    append_label(with_bound, "le", i < bounds.size() ? number_text(bounds[i]) : "+Inf");
    append_sample(out, bucket, with_bound, static_cast<double>(total));
  }
  append_sample(out, std::string(name) + "_sum", labels, sum);
  append_sample(out, std::string(name) + "_count", labels, static_cast<double>(total));
}

}  // namespace flowstore::metrics
