#include <string>

#include <gtest/gtest.h>

#include "http/response_writer.h"

namespace flowstore::http {
namespace {

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string head_of(const Response& response, std::optional<std::uint64_t> size,
                    const Framing& framing = Framing()) {
  std::string out(head_room(response), '\0');
  const HeadTime time{kDate, std::chrono::seconds(72)};
  const std::size_t written = write_head(out.data(), response, size, framing, time);
  EXPECT_LE(written, out.size());
  out.resize(written);
  return out;
}

bool has(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

TEST(ResponseHead, IsTheOldServersWordForWord) {
  Response response;
  response.content_type = "application/json; charset=utf-8";
  response.add("ETag", "\"1\"");
  EXPECT_EQ(
      head_of(response, 32),
      "HTTP/1.1 200 OK\r\n"
      "Content-Security-Policy: default-src 'self';base-uri 'self';font-src 'self' https: "
      "data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';"
      "script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';"
      "upgrade-insecure-requests\r\n"
      "Cross-Origin-Opener-Policy: same-origin\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\n"
      "Origin-Agent-Cluster: ?1\r\n"
      "Referrer-Policy: no-referrer\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "X-DNS-Prefetch-Control: off\r\n"
      "X-Download-Options: noopen\r\n"
      "X-Frame-Options: DENY\r\n"
      "X-Permitted-Cross-Domain-Policies: none\r\n"
      "X-XSS-Protection: 0\r\n"
      "content-type: application/json; charset=utf-8\r\n"
      "ETag: \"1\"\r\n"
      "content-length: 32\r\n"
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Connection: keep-alive\r\n"
      "Keep-Alive: timeout=72\r\n"
      "\r\n");
}

TEST(ResponseHead, TakesThePolicyOfTheAnswerInPlaceOfTheUsualOne) {
  Response response;
  response.security_policy = "default-src 'none'";
  const std::string head = head_of(response, 0);
  EXPECT_TRUE(has(head, "Content-Security-Policy: default-src 'none'"));
  EXPECT_EQ(head.find("upgrade-insecure-requests"), std::string::npos);
  EXPECT_TRUE(has(head, "Cross-Origin-Opener-Policy: same-origin"));
  EXPECT_TRUE(has(head, "X-XSS-Protection: 0"));
}

TEST(ResponseHead, SaysNothingOfAContentTypeWithoutContent) {
  const std::string head = head_of(Response(), 0);
  EXPECT_TRUE(has(head, "content-length: 0"));
  EXPECT_EQ(head.find("content-type"), std::string::npos);
}

TEST(ResponseHead, AnnouncesTheEndOfTheConnection) {
  Framing framing;
  framing.keeps_alive = false;
  const std::string head = head_of(Response(413), 0, framing);
  EXPECT_EQ(head.find("HTTP/1.1 413 Payload Too Large\r\n"), 0u);
  EXPECT_TRUE(has(head, "Connection: close"));
  EXPECT_EQ(head.find("Keep-Alive"), std::string::npos);
}

TEST(ResponseHead, AnnouncesChunksOnlyToWhomUnderstandsThem) {
  EXPECT_TRUE(has(head_of(Response(), std::nullopt), "Transfer-Encoding: chunked"));
  EXPECT_EQ(head_of(Response(), std::nullopt).find("content-length"), std::string::npos);
  Framing framing;
  framing.is_http_1_0 = true;
  EXPECT_EQ(head_of(Response(), std::nullopt, framing).find("Transfer-Encoding"),
            std::string::npos);
}

TEST(ResponseHead, SaysNothingOfALengthWhereNoContentMayFollow) {
  for (const int status : {204, 304}) {
    for (const std::optional<std::uint64_t> size : {std::optional<std::uint64_t>(5), {}}) {
      const std::string head = head_of(Response(status), size);
      EXPECT_EQ(head.find("content-length"), std::string::npos) << status;
      EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos) << status;
    }
  }
}

TEST(ResponseHead, GivesNoNamesAway) {
  const std::string head = head_of(Response(), 0);
  for (const char* const name : {"Server", "X-Powered-By", "Strict-Transport-Security",
                                 "Access-Control", "Cache-Control", "Accept-Ranges"}) {
    EXPECT_EQ(head.find(name), std::string::npos) << name;
  }
}

TEST(ResponseHead, KnowsThePhrases) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(417), "Expectation Failed");
  EXPECT_EQ(reason_phrase(507), "Insufficient Storage");
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

TEST(ParserLevelAnswer, SaysHowLongItIs) {
  for (const int status : {400, 431, 503}) {
    const std::string answer(parser_level_answer(status));
    EXPECT_EQ(answer.find("HTTP/1.1 " + std::to_string(status) + " "), 0u);
    const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
    EXPECT_TRUE(has(answer, "Content-Length: " + std::to_string(body.size()))) << status;
    EXPECT_TRUE(has(answer, "Content-Type: application/json"));
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    EXPECT_NE(body.find("\"statusCode\":" + std::to_string(status) + "}"), std::string::npos);
    EXPECT_EQ(answer.find("X-Frame-Options"), std::string::npos);
    EXPECT_EQ(answer.find("Date"), std::string::npos);
  }
}

TEST(ParserLevelAnswer, IsNodesWordForWord) {
  EXPECT_EQ(parser_level_answer(400),
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 65\r\nContent-Type: application/json\r\n"
            "Connection: close\r\n\r\n"
            R"({"error":"Bad Request","message":"Client Error","statusCode":400})");
  EXPECT_EQ(parser_level_answer(408), "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
  EXPECT_NE(parser_level_answer(431).find(
                R"({"error":"Request Header Fields Too Large",)"
                R"("message":"Exceeded maximum allowed HTTP header size","statusCode":431})"),
            std::string_view::npos);
}

}  // namespace
}  // namespace flowstore::http
