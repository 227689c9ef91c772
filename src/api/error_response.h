// The one place that turns an Error into a status and a body.

#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/handler.h"

namespace flowstore::api {

// Which rows of the table apply: the old server answers the same trouble differently per route.
enum class RouteFamily : std::uint8_t {
  read,
  range,  // of a read: which part of the file
  write,
  remove,
  quota,
  authentication,
  context,        // all that is not the next
  context_write,  // set and cache write, once their body has been understood
};

// The answer for an Error; bodies and their key order are the contract's, section 1.2. The text is
// the error's message, which by its own promise names nothing internal.
http::Response error_response(RouteFamily family, const Error& error);

// 404 in the words of the old server's router, with the target as sent.
http::Response route_not_found(std::string_view method, std::string_view target);

// 400 for a target with a malformed %XX.
http::Response bad_url(const Error& error);

// 401. One body for every reason, as the old server has it.
http::Response unauthorized();

}  // namespace flowstore::api
