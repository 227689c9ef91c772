// Dates as HTTP writes them (RFC 9110, section 5.6.7).

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace flowstore::http {

// "Sun, 06 Nov 1994 08:49:37 GMT". Whole seconds; what is below is cut off.
std::string format_date(std::chrono::system_clock::time_point time);

// The same form read back; nothing for any other text. The two obsolete forms of RFC 9110 are not
// read: a condition with one of them counts as not sent. Years that the clock does not reach are as
// near as it comes.
std::optional<std::chrono::system_clock::time_point> parse_date(std::string_view text);

}  // namespace flowstore::http
