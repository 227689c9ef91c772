#include "api/json_body.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "api/url.h"
#include "http/header_words.h"

namespace flowstore::api {
namespace {

using Type = ReceivedBody::Type;

// About 0.15 ms of parsing.
constexpr std::size_t kLongBody = std::size_t{64} * 1024;

Error unsupported_media_type() {
  return Error(ErrorKind::unsupported, "FST_ERR_CTP_INVALID_MEDIA_TYPE", "Unsupported Media Type");
}

Error empty_json() {
  return Error(ErrorKind::invalid, "FST_ERR_CTP_EMPTY_JSON_BODY",
               "Body cannot be empty when content-type is set to 'application/json'");
}

Error wrong_length() {
  return Error(ErrorKind::invalid, "FST_ERR_CTP_INVALID_CONTENT_LENGTH",
               "Request body size did not match Content-Length");
}

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Parameters say nothing: text is read as UTF-8 whatever charset is named.
Type type_of(std::string_view content_type, Media media) {
  const std::string_view media_type = trimmed(content_type.substr(0, content_type.find(';')));
  if (http::equals_ignoring_case(media_type, "application/json")) return Type::json;
  if (http::equals_ignoring_case(media_type, "text/plain")) return Type::text;
  const bool is_bytes = http::equals_ignoring_case(media_type, "application/octet-stream");
  if (is_bytes && media == Media::text_and_bytes) return Type::bytes;
  return Type::none;
}

// Reads to the end, or as far as is allowed.
Task<Result<std::string>> read_all(ByteSource& source) {
  std::string bytes;
  // A client that announces much and sends little gets little memory.
  bytes.reserve(std::min<std::uint64_t>(source.size().value_or(0), kLongBody));
  while (true) {
    FLOWSTORE_CO_TRY(const std::string_view piece, co_await source.next());
    if (piece.empty()) co_return bytes;
    if (bytes.size() + piece.size() > kMaxJsonBody) co_return Error::too_large(kMaxJsonBody);
    bytes.append(piece);
  }
}

}  // namespace

bool ReceivedBody::is_long() const noexcept { return bytes.size() > kLongBody; }

Task<Result<ReceivedBody>> receive_json_body(http::Request& request, EmptyBody empty, Media media) {
  const auto content_type = request.header("content-type");
  const auto size = request.body().size();
  ReceivedBody body;
  body.has_announced_length = size.has_value();
  if (size == 0 && (!content_type || empty == EmptyBody::allowed)) co_return body;

  const Type type = content_type ? type_of(*content_type, media) : Type::none;
  if (type == Type::none) {
    // Only reading shows whether a body in chunks is empty; its first bytes are enough.
    if (empty == EmptyBody::refused || size) co_return unsupported_media_type();
    FLOWSTORE_CO_TRY(const std::string_view first, co_await request.body().next());
    if (!first.empty()) co_return unsupported_media_type();
    co_return body;
  }
  if (size && *size > kMaxJsonBody) co_return Error::too_large(kMaxJsonBody);
  FLOWSTORE_CO_TRY(body.bytes, co_await read_all(request.body()));
  if (body.bytes.empty() && empty == EmptyBody::allowed) co_return body;
  if (type == Type::json && body.bytes.empty()) co_return empty_json();
  body.type = type;
  co_return body;
}

Result<std::string> parse_json_body(const ReceivedBody& body, json::TooLarge too_large) {
  if (body.type == Type::none || body.type == Type::bytes) return std::string("null");
  // The old server counts the bytes of the decoded text, in which what is no UTF-8 has another
  // length.
  const auto is_miscounted = [&body] { return body.has_announced_length && !is_utf8(body.bytes); };
  if (body.type == Type::text) {
    if (is_miscounted()) return wrong_length();
    return "\"" + json::encode(json::utf16(body.bytes)) + "\"";
  }
  auto canonical = json::canonical(body.bytes, too_large);
  if (!canonical && is_miscounted()) return wrong_length();
  if (!canonical) return std::move(canonical).error();
  if (canonical->had_bad_utf8 && body.has_announced_length) return wrong_length();
  return std::move(canonical->text);
}

Task<Status> pass_over_body(http::Request& request, Media media, BlockingPool& pool) {
  FLOWSTORE_CO_TRY(const auto body, co_await receive_json_body(request, EmptyBody::allowed, media));
  auto parse = [&body] { return parse_json_body(body); };
  FLOWSTORE_CO_TRY_STATUS(co_await pool.run_if(body.is_long(), parse));
  co_return Status();
}

}  // namespace flowstore::api
