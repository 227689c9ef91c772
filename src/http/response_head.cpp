#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "http/response_writer.h"

namespace flowstore::http {
namespace {

// What @fastify/helmet sends with the old server's settings, on every answer; see the contract,
// section 1.1. One block, because it never changes.
constexpr std::string_view kSecurityHeaders =
    "Content-Security-Policy: default-src 'self';base-uri 'self';font-src 'self' https: "
    "data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src "
    "'none';script-src 'self';script-src-attr 'none';style-src 'self' https: "
    "'unsafe-inline';upgrade-insecure-requests\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Origin-Agent-Cluster: ?1\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-DNS-Prefetch-Control: off\r\n"
    "X-Download-Options: noopen\r\n"
    "X-Frame-Options: DENY\r\n"
    "X-Permitted-Cross-Domain-Policies: none\r\n"
    "X-XSS-Protection: 0\r\n";

// Of RFC 9110 and, for 413, Node.js. The frequent ones first.
constexpr std::array<std::pair<int, std::string_view>, 20> kReasonPhrases = {{
    {200, "OK"},
    {404, "Not Found"},
    {401, "Unauthorized"},
    {204, "No Content"},
    {206, "Partial Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Payload Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {507, "Insufficient Storage"},
}};

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

void append_head(std::string& out, const Response& response, std::optional<std::uint64_t> size,
                 const Framing& framing, std::string_view date, std::chrono::seconds idle_timeout) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  out.append(kSecurityHeaders);
  if (!response.content_type.empty()) append_header(out, "content-type", response.content_type);
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  // RFC 9110, section 8.6: without content nothing is said of its length.
  const bool has_content = may_have_content(response.status);
  if (has_content && size) {
    out.append("content-length: ");
    append_number(out, *size);
    out.append("\r\n");
  } else if (has_content && !framing.is_http_1_0) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  append_header(out, "Date", date);
  if (framing.keeps_alive) {
    out.append("Connection: keep-alive\r\nKeep-Alive: timeout=");
    append_number(out, static_cast<std::uint64_t>(idle_timeout.count()));
    out.append("\r\n\r\n");
  } else {
    out.append("Connection: close\r\n\r\n");
  }
}

bool may_have_content(int status) { return status != 204 && status != 304; }

std::string_view parser_level_answer(int status) {
  switch (status) {
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 114\r\n"
             "Content-Type: application/json\r\nConnection: close\r\n\r\n"
             "{\"error\":\"Request Header Fields Too Large\",\"message\":"
             "\"Exceeded maximum allowed HTTP header size\",\"statusCode\":431}";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 125\r\nRetry-After: 1\r\n"
             "Content-Type: application/json\r\nConnection: close\r\n\r\n"
             "{\"error\":\"Service Unavailable\",\"message\":"
             "\"Too many open connections; raise limits.connections or try again\","
             "\"statusCode\":503}";
    default:
      return "HTTP/1.1 400 Bad Request\r\nContent-Length: 65\r\n"
             "Content-Type: application/json\r\nConnection: close\r\n\r\n"
             "{\"error\":\"Bad Request\",\"message\":\"Client Error\",\"statusCode\":400}";
  }
}

std::string_view reason_phrase(int status) {
  for (const auto& [known, phrase] : kReasonPhrases) {
    if (known == status) return phrase;
  }
  return "Unknown";
}

}  // namespace flowstore::http
