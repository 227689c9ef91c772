// Dates as HTTP writes them (RFC 9110, section 5.6.7).

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace flowstore::http {

// "Sun, 06 Nov 1994 08:49:37 GMT". Whole seconds; what is below is cut off.
std::string format_date(std::chrono::system_clock::time_point time);

// Any of the three forms of RFC 9110 read back; nothing for any other text. The year of the form
// that has two digits of it is the latest that is at most 50 years after `now`. Years that the
// clock does not reach are as near as it comes.
std::optional<std::chrono::system_clock::time_point> parse_date(
    std::string_view text,
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

}  // namespace flowstore::http
