#include "api/error_response.h"

#include <string>

#include "base/log.h"
#include "http/response_writer.h"

namespace flowstore::api {
namespace {

constexpr std::string_view kJson = "application/json; charset=utf-8";

// Seconds after which trying again makes sense: longer than a restart, shorter than a person waits.
constexpr const char* kRetryAfter = "2";

// One row per kind; the columns differ only where the old server's answers do.
int status_of(RouteFamily family, ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
      return family == RouteFamily::range ? 416 : 400;
    case ErrorKind::not_found:
      return family == RouteFamily::remove ? 400 : 404;
    case ErrorKind::is_directory:
      return family == RouteFamily::read ? 500 : 400;
    case ErrorKind::unauthorized:
      return 401;
    case ErrorKind::over_quota:
    case ErrorKind::too_large:
      return 413;
    case ErrorKind::unsupported:
      return 415;
    case ErrorKind::precondition_failed:
      return 412;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::no_space:
      return 507;
    case ErrorKind::unavailable:
      return 503;
    case ErrorKind::aborted:
      return 400;
    case ErrorKind::internal:
      return 500;
  }
  return 500;
}

// The bytes of a lone surrogate, which a message has where an expression was cut in the middle of a
// character beyond U+FFFF: 0xED and two more.
bool is_surrogate_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  return at + 2 < text.size() && byte(at) == 0xED && byte(at + 1) >= 0xA0;
}

void append_surrogate(std::string& out, unsigned char second, unsigned char third) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const unsigned unit = 0xD000U | (second & 0x3FU) << 6U | (third & 0x3FU);
  out.append("\\u");
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out.push_back(kHex[unit >> shift & 15U]);
}

// The text as a JSON string; lone surrogates as JSON.stringify writes them.
void append_message(std::string& out, std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && !is_surrogate_at(text, end)) ++end;
  append_json_string(out, text.substr(0, end));
  if (end == text.size()) return;
  out.pop_back();
  append_surrogate(out, static_cast<unsigned char>(text[end + 1]),
                   static_cast<unsigned char>(text[end + 2]));
  std::string rest;
  append_message(rest, text.substr(end + 3));
  out.append(rest, 1);
}

// {"statusCode":S,"code":"...","error":"<reason phrase>","message":"..."}
std::string standard_body(int status, const Error& error) {
  std::string body = "{\"statusCode\":" + std::to_string(status);
  if (!error.code().empty()) {
    body.append(",\"code\":");
    append_json_string(body, error.code());
  }
  body.append(",\"error\":");
  append_json_string(body, http::reason_phrase(status));
  body.append(",\"message\":");
  append_message(body, error.message());
  body.append("}");
  return body;
}

std::string short_body(const Error& error) {
  std::string body = "{\"code\":";
  append_json_string(body, error.code());
  body.append(",\"error\":");
  append_json_string(body, error.message());
  if (error.limit()) body.append(",\"limit\":").append(std::to_string(*error.limit()));
  body.append("}");
  return body;
}

// The same in the order that the old server's context routes have, and without an empty code.
std::string context_body(const Error& error) {
  std::string body = "{\"error\":";
  append_message(body, error.message());
  if (!error.code().empty()) {
    body.append(",\"code\":");
    append_json_string(body, error.code());
  }
  if (error.limit()) body.append(",\"limit\":").append(std::to_string(*error.limit()));
  body.append("}");
  return body;
}

std::string body_of(RouteFamily family, int status, const Error& error) {
  if (family == RouteFamily::context_write) return context_body(error);
  const bool is_short =
      error.kind() == ErrorKind::over_quota || family == RouteFamily::authentication;
  return is_short ? short_body(error) : standard_body(status, error);
}

http::Response json_response(int status, std::string body) {
  http::Response response(status);
  response.content_type = kJson;
  response.content = Content(std::move(body));
  return response;
}

}  // namespace

http::Response error_response(RouteFamily family, const Error& error) {
  if (error.kind() == ErrorKind::unauthorized) return unauthorized();
  const int status = status_of(family, error.kind());
  auto response = json_response(status, body_of(family, status, error));
  if (status == 503) response.add("Retry-After", kRetryAfter);
  response.close = error.kind() == ErrorKind::too_large;
  return response;
}

http::Response route_not_found(std::string_view method, std::string_view target) {
  std::string body = "{\"message\":";
  append_json_string(body,
                     "Route " + std::string(method) + ":" + std::string(target) + " not found");
  body.append(",\"error\":\"Not Found\",\"statusCode\":404}");
  return json_response(404, std::move(body));
}

http::Response bad_url(const Error& error) {
  std::string body = R"({"error":"Bad Request","code":"FST_ERR_BAD_URL","message":)";
  append_json_string(body, error.message());
  body.append(",\"statusCode\":400}");
  auto response = json_response(400, std::move(body));
  response.content_type = "application/json";
  return response;
}

http::Response unauthorized() {
  http::Response response(401);
  response.content_type = kJson;
  response.content = Content::constant(R"({"code":"unauthorized","error":"unauthorized"})");
  return response;
}

}  // namespace flowstore::api
