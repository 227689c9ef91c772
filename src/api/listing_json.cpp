#include "api/listing_json.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "base/log.h"

namespace flowstore::api {
namespace {

constexpr std::size_t kLargestPage = 1000;

Error bad_limit() {
  return Error(ErrorKind::invalid, "ERR_INVALID_LIMIT",
               "limit must be a whole number from 1 to 1000");
}

void append_entry(std::string& out, const files::Entry& entry) {
  out.append("{\"name\":");
  append_json_string(out, entry.name);
  out.append(entry.is_folder ? ",\"type\":\"directory\"" : ",\"type\":\"file\"");
  out.append(",\"size\":").append(std::to_string(entry.size));
  out.append(",\"lastModified\":\"").append(iso_time(entry.modified)).append("\"}");
}

}  // namespace

Result<files::ListOptions> parse_list_options(const Query& query) {
  files::ListOptions options;
  if (const auto limit = query.find("limit")) {
    const char* const end = limit->data() + limit->size();
    const auto parsed = std::from_chars(limit->data(), end, options.limit);
    if (parsed.ec != std::errc() || parsed.ptr != end) return bad_limit();
    if (options.limit < 1 || options.limit > kLargestPage) return bad_limit();
  }
  options.cursor = query.find("cursor").value_or(std::string_view());
  options.is_recursive = query.is_on("recursive");
  return options;
}

std::string listing_json(const files::Listing& listing) {
  std::string out = "{\"meta\":{";
  if (listing.next_cursor) {
    out.append("\"next_cursor\":");
    append_json_string(out, *listing.next_cursor);
  }
  out.append("},\"count\":").append(std::to_string(listing.entries.size()));
  out.append(",\"files\":[");
  for (const files::Entry& entry : listing.entries) {
    if (out.back() != '[') out.push_back(',');
    append_entry(out, entry);
  }
  out.append("]}");
  return out;
}

std::string iso_time(std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time) - day);
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace flowstore::api
