#include "http/response_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace flowstore::http {
namespace {

using Outcome = ResponseParser::Outcome;

Outcome read_at_once(std::string_view text) { return ResponseParser(false).parse(text); }

// The outcome behind the last byte that was taken, each in a piece of its own.
Outcome read_in_bytes(std::string_view text) {
  ResponseParser parser(false);
  Outcome outcome = Outcome::need_more;
  for (std::size_t i = 0; i < text.size() && outcome == Outcome::need_more; ++i) {
    outcome = parser.parse(text.substr(i, 1));
  }
  return outcome;
}

TEST(ResponseParser, TellsWhereTheBodyBegins) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  ResponseParser parser(false);
  ASSERT_EQ(parser.parse(head + "hi"), Outcome::complete);
  EXPECT_EQ(parser.consumed(), head.size());
  EXPECT_EQ(parser.length(), 2U);
}

TEST(ResponseParser, LinesEndWithCarriageReturnAndLineFeedOnly) {
  for (const std::string_view text :
       {"HTTP/1.1 200 OK\r\n\rX", "HTTP/1.1 200 OK\rXa: b\r\n\r\n", "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\na: b\n\r\n", "HTTP/1.1 200 OK\r\na: b\rXc: d\r\n\r\n"}) {
    EXPECT_EQ(read_at_once(text), Outcome::malformed) << text;
    EXPECT_EQ(read_in_bytes(text), Outcome::malformed) << text;
  }
}

TEST(ResponseParser, HeadersAboutTheBodyHaveNoBlankBeforeTheColon) {
  for (const std::string_view text : {"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n"}) {
    EXPECT_EQ(read_at_once(text), Outcome::malformed) << text;
    EXPECT_EQ(read_in_bytes(text), Outcome::malformed) << text;
  }
}

}  // namespace
}  // namespace flowstore::http
