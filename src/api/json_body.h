// Bodies that are not stored as they come: what the old server's content-type parsers would hand to
// a route.

#pragma once

#include <cstdint>
#include <string>

#include "base/blocking_pool.h"
#include "base/result.h"
#include "base/task.h"
#include "http/handler.h"
#include "json/text.h"

namespace flowstore::api {

// Bytes; the old server's bodyLimit.
inline constexpr std::uint64_t kMaxJsonBody = 10ULL * 1024 * 1024;

// Whether a request without a body is in order whatever Content-Type it names.
enum class EmptyBody : std::uint8_t { allowed, refused };

// What a route takes: the file routes of the old server also have a parser for octet streams.
enum class Media : std::uint8_t { text, text_and_bytes };

// A body that has been read and not yet been looked at.
struct ReceivedBody {
  ReceivedBody() = default;  // declared: travels through awaited expressions

  enum class Type : std::uint8_t { none, json, text, bytes };

  // Long enough that parsing it would keep an event loop from its other connections.
  bool is_long() const noexcept;

  Type type = Type::none;
  std::string bytes;
  bool has_announced_length = false;  // by Content-Length
};

// Reads the body of a request whose token has been accepted. Errors: unsupported for a media type
// other than JSON, plain text and what `media` adds, too_large before more than kMaxJsonBody is
// taken, invalid for no text at all where JSON was announced, aborted.
Task<Result<ReceivedBody>> receive_json_body(http::Request& request, EmptyBody empty,
                                             Media media = Media::text);

// The JSON value of the body, canonical text. Plain text is the JSON string of it, no body and
// bytes are null. Pure, and so fit for another thread. Errors: invalid.
Result<std::string> parse_json_body(const ReceivedBody& body,
                                    json::TooLarge too_large = json::TooLarge::null);

// Reads a body that means nothing to its route, and refuses it all the same if it is none of its
// type; an empty one is fine whatever its type. Long ones are parsed on `pool`. Errors: those of
// both functions above.
Task<Status> pass_over_body(http::Request& request, Media media, BlockingPool& pool);

}  // namespace flowstore::api
