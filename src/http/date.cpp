#include "http/date.h"

#include <array>
#include <ctime>

#include "base/clock.h"

namespace flowstore::http {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
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

std::optional<unsigned> month_number(std::string_view name) {
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) return i + 1;
  }
  return std::nullopt;
}

}  // namespace

std::string format_date(std::chrono::system_clock::time_point time) {
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

std::optional<std::chrono::system_clock::time_point> parse_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT") {
    return std::nullopt;
  }
  const auto month = month_number(text.substr(8, 3));
  const int day = digits(text, 5, 2);
  const int year = digits(text, 12, 4);
  const int hour = digits(text, 17, 2);
  const int minute = digits(text, 20, 2);
  const int second = digits(text, 23, 2);
  if (!month || day < 0 || year < 0 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(day)));
  // 60 is a leap second, which the calendar here does not know.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return nearest_time(std::chrono::sys_days(date) + std::chrono::hours(hour) +
                      std::chrono::minutes(minute) + std::chrono::seconds(second));
}

}  // namespace flowstore::http
