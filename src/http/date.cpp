#include "http/date.h"

#include <algorithm>
#include <array>

#include "base/clock.h"

namespace flowstore::http {
namespace {

using std::chrono::system_clock;

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// The digits of text[from, from + count); -1 if one is none.
int digits(std::string_view text, std::size_t from, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(from, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

// Writes the last `count` digits of a number over text[from, from + count).
void put_digits(std::string& text, std::size_t from, std::size_t count, unsigned number) {
  for (std::size_t i = count; i > 0; --i, number /= 10) {
    text[from + i - 1] = static_cast<char>('0' + number % 10);
  }
}

bool is_long_day(std::string_view name) {
  return std::find(kLongDays.begin(), kLongDays.end(), name) != kLongDays.end();
}

std::optional<unsigned> month_number(std::string_view name) {
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) return i + 1;
  }
  return std::nullopt;
}

// A date taken apart; -1 for what is no number.
struct Fields {
  int year;
  std::string_view month;
  int day;
  std::string_view clock;  // "08:49:37"
};

std::optional<system_clock::time_point> time_of(const Fields& fields) {
  const std::string_view clock = fields.clock;
  if (clock[2] != ':' || clock[5] != ':') return std::nullopt;
  const auto month = month_number(fields.month);
  const int hour = digits(clock, 0, 2);
  const int minute = digits(clock, 3, 2);
  const int second = digits(clock, 6, 2);
  if (!month || fields.day < 0 || fields.year < 0 || hour < 0 || minute < 0 || second < 0) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(fields.year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(fields.day)));
  // 60 is a leap second, which the calendar here does not know.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return nearest_time(std::chrono::sys_days(date) + std::chrono::hours(hour) +
                      std::chrono::minutes(minute) + std::chrono::seconds(second));
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<Fields> imf_fields(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text.substr(25) != " GMT") {
    return std::nullopt;
  }
  return Fields{digits(text, 12, 4), text.substr(8, 3), digits(text, 5, 2), text.substr(17, 8)};
}

int year_of(system_clock::time_point time) {
  return static_cast<int>(
      std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time)).year());
}

// "Sunday, 06-Nov-94 08:49:37 GMT": the latest such time that is at most 50 years ahead.
std::optional<system_clock::time_point> rfc850_time(std::string_view text,
                                                    system_clock::time_point now) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos || !is_long_day(text.substr(0, comma))) return std::nullopt;
  text.remove_prefix(comma + 1);
  if (text.size() != 23 || text[0] != ' ' || text[3] != '-' || text[7] != '-' || text[10] != ' ' ||
      text.substr(19) != " GMT") {
    return std::nullopt;
  }
  const int in_century = digits(text, 8, 2);
  if (in_century < 0) return std::nullopt;
  const int this_century = year_of(now) / 100 * 100;
  for (const int century : {this_century + 100, this_century, this_century - 100}) {
    const auto time = time_of(
        Fields{century + in_century, text.substr(4, 3), digits(text, 1, 2), text.substr(11, 8)});
    if (time && *time <= now + std::chrono::years(50)) return time;
  }
  return std::nullopt;
}

// "Sun Nov  6 08:49:37 1994"
std::optional<Fields> asctime_fields(std::string_view text) {
  if (text.size() != 24 || text[3] != ' ' || text[7] != ' ' || text[10] != ' ' || text[19] != ' ') {
    return std::nullopt;
  }
  const int day = text[8] == ' ' ? digits(text, 9, 1) : digits(text, 8, 2);
  return Fields{digits(text, 20, 4), text.substr(4, 3), day, text.substr(11, 8)};
}

}  // namespace

std::string format_date(system_clock::time_point time) {
  using std::chrono::floor;
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::seconds>(time) - day);
  // By hand: every file that is read has a Last-Modified, and snprintf costs more than the rest of
  // the head.
  std::string text = "Sun, 06 Nov 1994 08:49:37 GMT";
  kDays[std::chrono::weekday(day).c_encoding()].copy(text.data(), 3);
  put_digits(text, 5, 2, static_cast<unsigned>(date.day()));
  kMonths[static_cast<unsigned>(date.month()) - 1].copy(text.data() + 8, 3);
  put_digits(text, 12, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  put_digits(text, 17, 2, static_cast<unsigned>(clock.hours().count()));
  put_digits(text, 20, 2, static_cast<unsigned>(clock.minutes().count()));
  put_digits(text, 23, 2, static_cast<unsigned>(clock.seconds().count()));
  return text;
}

std::optional<system_clock::time_point> parse_date(std::string_view text,
                                                   system_clock::time_point now) {
  if (const auto fields = imf_fields(text)) return time_of(*fields);
  if (const auto fields = asctime_fields(text)) return time_of(*fields);
  return rfc850_time(text, now);
}

}  // namespace flowstore::http
