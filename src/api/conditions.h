// Conditional and range headers: words in, values out (RFC 9110, sections 13 and 14).

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "files/preconditions.h"
#include "http/handler.h"

namespace flowstore::api {

// If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since of a request. A date that is
// no HTTP date counts as not sent; a list of entity tags with none in it matches nothing.
files::Preconditions parse_preconditions(const http::Request& request);

// What part of a file an answer carries.
struct RangeChoice {
  enum class Kind : std::uint8_t { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  std::uint64_t offset = 0;  // part only
  std::uint64_t length = 0;
};

// Decides on Range and If-Range for a file. Several ranges, other units and bad syntax are answered
// with the whole file, as RFC 9110 allows, and so is a file that is smaller than the Content-Range
// header of a partial answer; see docs/decisions/0006-ranges.md.
RangeChoice choose_range(const http::Request& request, const files::FileStat& stat);

// "bytes 2-4/9"; "bytes */9" for an unsatisfiable one.
std::string content_range(const RangeChoice& choice, std::uint64_t size);

}  // namespace flowstore::api
