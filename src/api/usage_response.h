// Answers about what is used.

#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "http/handler.h"

namespace flowstore::api {

// What a project may hold; absent: as much as it likes.
struct UsageLimits {
  std::optional<std::uint64_t> file;     // bytes
  std::optional<std::uint64_t> context;  // characters of JSON text
};

// {"used":N}, in bytes.
http::Response usage_response(const Result<std::uint64_t>& used);

// The same with "limit" and "contextLimit", each where there is one.
http::Response usage_response(const Result<std::uint64_t>& used, const UsageLimits& limits);

}  // namespace flowstore::api
