// The Prometheus text format 0.0.4, line by line.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace flowstore::metrics {

// "# HELP name help" and "# TYPE name type"; a line feed in `help` is escaped.
void append_header(std::string& out, std::string_view name, std::string_view help,
                   std::string_view type);

// Adds `name="value"` to a list of labels, escaped and with a comma where one is needed.
void append_label(std::string& labels, std::string_view name, std::string_view value);

// "name{labels} value". `labels` as append_label makes them; may be empty.
void append_sample(std::string& out, std::string_view name, std::string_view labels, double value);

// The lines of one histogram; `counts` has one more entry than `bounds` and is not cumulated.
void append_histogram(std::string& out, std::string_view name, std::string_view labels,
                      std::span<const double> bounds, std::span<const std::uint64_t> counts,
                      double sum);

// The shortest text that reads back as the same number; "+Inf", "NaN" as Prometheus writes them.
std::string number_text(double value);

}  // namespace flowstore::metrics
