// Bodies of the context routes: what the old server's content-type parsers would hand to a route.

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "http/handler.h"
#include "json/text.h"

namespace flowstore::api {

// Bytes; the old server's bodyLimit.
inline constexpr std::uint64_t kMaxJsonBody = 10ULL * 1024 * 1024;

// Whether a request without a body is in order whatever Content-Type it names.
enum class EmptyBody : std::uint8_t { allowed, refused };

// A body that has been read and not yet been looked at.
struct ReceivedBody {
  ReceivedBody() = default;  // declared: travels through awaited expressions

  enum class Type : std::uint8_t { none, json, text };

  // Long enough that parsing it would keep an event loop from its other connections.
  bool is_long() const noexcept;

  Type type = Type::none;
  std::string bytes;
  bool has_announced_length = false;  // by Content-Length
};

// Reads the body of a request whose token has been accepted. Errors: unsupported for a media type
// other than JSON and plain text, too_large before more than kMaxJsonBody is taken, invalid for no
// text at all where JSON was announced, aborted.
Task<Result<ReceivedBody>> receive_json_body(http::Request& request, EmptyBody empty);

// The JSON value of the body, canonical text. Plain text is the JSON string of it, no body is null.
// Pure, and so fit for another thread. Errors: invalid.
Result<std::string> parse_json_body(const ReceivedBody& body,
                                    json::TooLarge too_large = json::TooLarge::null);

}  // namespace flowstore::api
