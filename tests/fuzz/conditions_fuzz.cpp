// Any headers on any file: a part lies within the file, the lists and dates that were understood
// mean the same when they are written again, and reading and writing judge alike.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "../support/asked_request.h"
#include "api/conditions.h"
#include "fuzz.h"
#include "http/date.h"

using namespace flowstore;
using fuzz::require;
using http::Headers;
using Asked = http::AskedRequest;
using Kind = api::RangeChoice::Kind;

namespace {

// Lines of `name:value`.
Headers read_headers(std::string_view text) {
  Headers headers;
  while (!text.empty()) {
    const std::string_view line = fuzz::take_line(text);
    const std::size_t colon = std::min(line.find(':'), line.size());
    headers.push_back({line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))});
  }
  return headers;
}

std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8U | static_cast<unsigned char>(c);
  return number;
}

api::RangeChoice choose(std::string_view method, const Headers& headers,
                        const files::FileStat& stat) {
  const Asked asked(headers, method);
  return api::choose_range(*asked, stat);
}

void check_range(const Headers& headers, const files::FileStat& stat) {
  require(choose("HEAD", headers, stat).kind == Kind::whole);
  const api::RangeChoice choice = choose("GET", headers, stat);
  if (choice.kind == Kind::whole) return;
  const std::string shown = api::content_range(choice, stat.size);
  if (choice.kind == Kind::unsatisfiable) {
    require(shown == "bytes */" + std::to_string(stat.size));
    return;
  }
  require(choice.length > 0 && choice.length <= stat.size);
  require(choice.offset <= stat.size - choice.length);
  require(shown.size() < stat.size);
  // The same part, asked for by its bounds.
  const std::string range = "bytes=" + std::to_string(choice.offset) + "-" +
                            std::to_string(choice.offset + choice.length - 1);
  const Headers plain = {{"if-range", stat.etag}, {"range", range}};
  const api::RangeChoice again = choose("GET", plain, stat);
  require(again.kind == Kind::part);
  require(again.offset == choice.offset && again.length == choice.length);
}

void check_date(std::chrono::system_clock::time_point time) {
  const auto again = http::parse_date(http::format_date(time));
  require(again && *again == std::chrono::floor<std::chrono::seconds>(time));
}

void check_list(const std::optional<files::EtagList>& list) {
  if (!list) return;
  std::string joined;
  for (const std::string& etag : list->etags) {
    require(etag.size() >= 2 && etag.back() == '"');
    require(etag.starts_with('"') || etag.starts_with("W/\""));
    joined += (joined.empty() ? "" : ", ") + etag;
  }
  const Asked asked({{"If-Match", joined}});
  const files::Preconditions again = api::parse_preconditions(*asked);
  require(again.if_match && again.if_match->etags == list->etags);
}

void check_conditions(const Headers& headers, const files::FileStat& stat) {
  const Asked asked(headers);
  const files::Preconditions conditions = api::parse_preconditions(*asked);
  check_list(conditions.if_match);
  check_list(conditions.if_none_match);
  if (conditions.if_modified_since) check_date(*conditions.if_modified_since);
  if (conditions.if_unmodified_since) check_date(*conditions.if_unmodified_since);

  const auto verdict = files::evaluate_read(conditions, stat);
  if (conditions.empty()) require(verdict == files::ReadVerdict::proceed);
  // What a reader has already, or does not expect, a writer must not replace.
  const bool is_known = conditions.if_none_match && verdict == files::ReadVerdict::not_modified;
  const bool may_write = verdict != files::ReadVerdict::failed && !is_known;
  require(bool(files::evaluate_write(conditions, stat)) == may_write);
  require(bool(files::evaluate_write(conditions, std::nullopt)) == !conditions.if_match);
}

}  // namespace

// The size of the file and its time in four bytes each; headers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  const std::string_view input = fuzz::text_of(data, size);
  files::FileStat stat;
  stat.size = number_of(input.substr(0, 4));
  stat.etag = "\"v1\"";
  stat.modified +=
      std::chrono::seconds(number_of(input.substr(4, 4))) + std::chrono::milliseconds(250);
  const Headers headers = read_headers(input.substr(8));
  for (const http::Header& header : headers) {
    if (const auto time = http::parse_date(header.value)) check_date(*time);
  }
  check_date(stat.modified);
  check_range(headers, stat);
  check_conditions(headers, stat);
  return 0;
}
