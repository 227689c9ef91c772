#include <array>
#include <charconv>
#include <cstring>
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

// The same without the policy, which is the first line.
constexpr std::string_view kWithoutPolicy =
    kSecurityHeaders.substr(kSecurityHeaders.find('\n') + 1);

// Of RFC 9110 and, for 413, Node.js. The frequent ones first.
constexpr std::array<std::pair<int, std::string_view>, 22> kReasonPhrases = {{
    {200, "OK"},
    {404, "Not Found"},
    {401, "Unauthorized"},
    {204, "No Content"},
    {206, "Partial Content"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {405, "Method Not Allowed"},
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

// Writes behind what it has written; the caller has made room.
class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}

  Pen& put(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Pen& number(std::uint64_t number) {
    at_ = std::to_chars(at_, at_ + kMostDigits, number).ptr;
    return *this;
  }
  Pen& header(std::string_view name, std::string_view value) {
    return put(name).put(": ").put(value).put("\r\n");
  }

  static constexpr std::size_t kMostDigits = 20;
  char* at() const noexcept { return at_; }

 private:
  char* at_;
};

// More than the status line and the headers that the session adds.
constexpr std::size_t kOwnRoom = kSecurityHeaders.size() + 512;

}  // namespace

std::size_t head_room(const Response& response) {
  std::size_t room = kOwnRoom + response.content_type.size() + response.security_policy.size();
  for (const auto& [name, value] : response.headers) room += name.size() + value.size() + 4;
  return room;
}

std::size_t write_head(char* out, const Response& response, std::optional<std::uint64_t> size,
                       const Framing& framing, const HeadTime& time) {
  Pen pen(out);
  pen.put("HTTP/1.1 ").number(static_cast<std::uint64_t>(response.status));
  pen.put(" ").put(reason_phrase(response.status)).put("\r\n");
  if (response.security_policy.empty()) {
    pen.put(kSecurityHeaders);
  } else {
    pen.header("Content-Security-Policy", response.security_policy).put(kWithoutPolicy);
  }
  if (!response.content_type.empty()) pen.header("content-type", response.content_type);
  for (const auto& [name, value] : response.headers) pen.header(name, value);
  // RFC 9110, section 8.6: without content nothing is said of its length.
  const bool has_content = may_have_content(response.status);
  if (has_content && size) {
    pen.put("content-length: ").number(*size).put("\r\n");
  } else if (has_content && !framing.is_http_1_0) {
    pen.put("Transfer-Encoding: chunked\r\n");
  }
  pen.header("Date", time.date);
  if (framing.keeps_alive) {
    pen.put("Connection: keep-alive\r\nKeep-Alive: timeout=");
    pen.number(static_cast<std::uint64_t>(time.idle_timeout.count())).put("\r\n\r\n");
  } else {
    pen.put("Connection: close\r\n\r\n");
  }
  return static_cast<std::size_t>(pen.at() - out);
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
