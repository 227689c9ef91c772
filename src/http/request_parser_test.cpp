#include "http/request_parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/read_requests.h"

namespace flowstore::http {
namespace {

using Outcome = RequestParser::Outcome;

std::vector<ReadRequest> read_all(std::string_view input, const Limits& limits = Limits()) {
  return RequestReader(
             input, [&] { return input.size(); }, limits)
      .read_all();
}

ReadRequest read_one(std::string_view input, const Limits& limits = Limits()) {
  const auto requests = read_all(input, limits);
  EXPECT_EQ(requests.size(), 1u) << input;
  return requests.at(0);
}

using Headers = std::vector<std::pair<std::string, std::string>>;

TEST(RequestParser, ReadsMethodTargetHeadersAndBody) {
  const auto request = read_one(
      "POST /v1/files/t/p/a%20b?x=1 HTTP/1.1\r\nHost: x\r\nFF_MODE: append\r\n"
      "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(request.outcome, Outcome::message_complete);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/files/t/p/a%20b?x=1");
  EXPECT_EQ(request.headers,
            (Headers{{"Host", "x"}, {"FF_MODE", "append"}, {"Content-Length", "5"}}));
  EXPECT_EQ(request.body, "hello");
  EXPECT_TRUE(request.keeps_alive);
}

TEST(RequestParser, GivesTheSameWhereverTheInputIsSplit) {
  const std::string input =
      "\r\nPOST /a HTTP/1.1\r\nHost: x\r\nEmpty:\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nT: v\r\n\r\n"
      "PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "GET /c HTTP/1.0\r\n\r\n";
  const auto whole = read_all(input);
  ASSERT_EQ(whole.size(), 3u);
  EXPECT_EQ(whole[0].body, "hello!");
  EXPECT_EQ(whole[1].body, "abc");
  EXPECT_EQ(whole[2].outcome, Outcome::message_complete);
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    bool is_first = true;
    const auto next = [&] { return std::exchange(is_first, false) ? cut : input.size(); };
    EXPECT_EQ(RequestReader(input, next).read_all(), whole) << "cut at " << cut;
    EXPECT_EQ(RequestReader(input, [cut] { return cut; }).read_all(), whole) << "pieces of " << cut;
  }
}

TEST(RequestParser, SeparatesAThousandPipelinedRequests) {
  std::string input;
  for (int i = 0; i < 1000; ++i) {
    input += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
  }
  const auto requests = RequestReader(input, [] { return std::size_t{1500}; }).read_all();
  ASSERT_EQ(requests.size(), 1000u);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].target, "/" + std::to_string(i));
    EXPECT_EQ(requests[i].body, "hi");
  }
}

TEST(RequestParser, MovesChunksTogetherInPlace) {
  const Limits limits;
  RequestParser parser(limits);
  std::string input =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET";
  const auto body_at = input.find("\r\n\r\n") + 4;
  EXPECT_EQ(parser.parse(input.data(), 0, input.size()), Outcome::message_complete);
  EXPECT_EQ(parser.body_piece(), "abcde");
  EXPECT_EQ(parser.body_piece().data(), input.data() + body_at);
  EXPECT_EQ(input.substr(parser.consumed()), "GET");
  EXPECT_EQ(parser.content_length(), std::nullopt);
}

TEST(RequestParser, KeepsEmptyValuesAndTrimsBlanks) {
  const auto request = read_one(
      "GET / HTTP/1.1\r\nHost: x\r\nA:\r\nB: \r\nC:\t \r\nD:d\r\nE: e \t \r\nF: a b\tc\r\n"
      "G: \xc3\xa9\r\n\r\n");
  EXPECT_EQ(request.headers, (Headers{{"Host", "x"},
                                      {"A", ""},
                                      {"B", ""},
                                      {"C", ""},
                                      {"D", "d"},
                                      {"E", "e"},
                                      {"F", "a b\tc"},
                                      {"G", "\xc3\xa9"}}));
}

TEST(RequestParser, KnowsTheLengthOfABodyBeforeItArrives) {
  const Limits limits;
  RequestParser parser(limits);
  std::string input = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 12345678901\r\n\r\nabc";
  EXPECT_EQ(parser.parse(input.data(), 0, input.size()), Outcome::need_more);
  EXPECT_TRUE(parser.is_head_complete());
  EXPECT_EQ(parser.content_length(), 12345678901u);
  EXPECT_EQ(parser.body_piece(), "abc");
}

TEST(RequestParser, DecidesOnKeepAliveAsNodeDoes) {
  const std::string get = "GET / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_TRUE(read_one(get + "\r\n").keeps_alive);
  EXPECT_FALSE(read_one(get + "Connection: close\r\n\r\n").keeps_alive);
  EXPECT_FALSE(read_one(get + "Connection: CLOSE\r\n\r\n").keeps_alive);
  EXPECT_FALSE(read_one(get + "Connection: keep-alive, close\r\n\r\n").keeps_alive);
  EXPECT_FALSE(read_one("GET / HTTP/1.0\r\n\r\n").keeps_alive);
  EXPECT_TRUE(read_one("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keeps_alive);
}

TEST(RequestParser, TakesAnUpgradeAsAnOrdinaryRequest) {
  const auto requests = read_all(
      "GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
      "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[1].target, "/b");
}

TEST(RequestParser, RecognisesConnect) {
  const Limits limits;
  RequestParser parser(limits);
  std::string input = "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n";
  EXPECT_EQ(parser.parse(input.data(), 0, input.size()), Outcome::message_complete);
  EXPECT_TRUE(parser.is_connect());
}

// A head whose target, names and values have `bytes` bytes together.
std::string head_of(std::size_t bytes) {
  return "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(bytes - 7, 'v') + "\r\n\r\n";
}

TEST(RequestParser, CountsTargetNamesAndValuesAsNodeDoes) {
  EXPECT_EQ(read_one(head_of(16 * 1024 - 1)).outcome, Outcome::message_complete);
  EXPECT_EQ(read_one(head_of(16 * 1024)).outcome, Outcome::head_too_large);
  const std::string target(17'000, 'a');
  EXPECT_EQ(read_one("GET /" + target + " HTTP/1.1\r\n\r\n").outcome, Outcome::head_too_large);
}

TEST(RequestParser, RefusesAHeadOfFramingOnly) {
  const std::string blank_lines(200'000, '\n');
  EXPECT_EQ(read_one(blank_lines).outcome, Outcome::head_too_large);
  EXPECT_EQ(read_one("GET / HTTP/1.1\r\nA:" + std::string(200'000, ' ')).outcome,
            Outcome::head_too_large);
}

std::string head_with(int headers) {
  std::string head = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < headers; ++i) head += "h: v\r\n";
  return head + "\r\n";
}

TEST(RequestParser, AcceptsTwoThousandHeadersAndNotMore) {
  EXPECT_EQ(read_one(head_with(1500)).headers.size(), 1500u);
  EXPECT_EQ(read_one(head_with(2000)).outcome, Outcome::message_complete);
  EXPECT_EQ(read_one(head_with(2001)).outcome, Outcome::head_too_large);
}

struct Case {
  const char* what;
  std::string input;
};

std::string with_header(const std::string& line) {
  return "GET / HTTP/1.1\r\nHost: x\r\n" + line + "\r\n\r\n";
}

std::string posted(const std::string& rest) { return "POST / HTTP/1.1\r\nHost: x\r\n" + rest; }

std::string chunked(const std::string& body) {
  return posted("Transfer-Encoding: chunked\r\n\r\n" + body);
}

std::string with_target(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

std::string with_version(const std::string& version) {
  return "GET / " + version + "\r\nHost: x\r\n\r\n";
}

// Each of these was sent to Node.js 20 too, which answers 400 to all but those marked.
std::vector<Case> malformed() {
  const std::string body = "3\r\nabc\r\n0\r\n\r\n";
  return {
      {"garbage", "\x16\x03\x01garbage\r\n\r\n"},
      {"unknown method", "FOO / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"lower-case method", "get / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"longer method", "GETX / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"blank before the method", " GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"PRI", "PRI / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"HTTP/1.2", with_version("HTTP/1.2")},
      {"HTTP/1.10", with_version("HTTP/1.10")},
      {"HTTP/1", with_version("HTTP/1")},
      {"lower-case version", with_version("http/1.1")},
      {"HTTP/2.0 (Node.js: 200)", with_version("HTTP/2.0")},
      {"HTTP/0.9 (Node.js: 200)", with_version("HTTP/0.9")},
      {"no version (Node.js: 200)", "GET /\r\n\r\n"},
      {"RTSP (Node.js: 200)", with_version("RTSP/1.0")},
      {"ICE (Node.js: 200)", "SOURCE / ICE/1.0\r\nHost: x\r\n\r\n"},
      {"RTSP method", "DESCRIBE / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"blank behind the version", with_version("HTTP/1.1 ")},
      {"tab behind the method", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"space in the target", with_target("/a b")},
      {"tab in the target", with_target("/a\tb")},
      {"form feed in the target", with_target("/a\fb")},
      {"control character in the target", with_target("/a\x01")},
      {"DEL in the target", with_target("/a\x7f")},
      {"NUL in the target", with_target(std::string("/a\0b", 4))},
      {"raw bytes in the target", with_target("/\xc3\xa9")},
      {"raw bytes in the query", with_target("/?\xc3\xa9")},
      {"relative target", with_target("a")},
      {"no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n"},

      {"LF-only lines", "GET / HTTP/1.1\nHost: x\n\n"},
      {"LF-only request line", "GET / HTTP/1.1\nHost: x\r\n\r\n"},
      {"LF-only header line", "GET / HTTP/1.1\r\nHost: x\n\r\n"},
      {"LF-only last line", "GET / HTTP/1.1\r\nHost: x\r\n\n"},
      {"CR-only header line", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"},
      {"CR-only last line", "GET / HTTP/1.1\r\nHost: x\r\n\rX"},
      {"CR in a value", with_header("A: b\rc")},
      {"CR CR LF", with_header("A: b\r")},
      {"space before the colon", with_header("A : b")},
      {"tab before the colon", with_header("A\t: b")},
      {"space in a name", with_header("A B: c")},
      {"space before a name", with_header(" A: b")},
      {"space before the first name", "GET / HTTP/1.1\r\n Host: x\r\n\r\n"},
      {"obs-fold", with_header("A: b\r\n c")},
      {"obs-fold with trailing blanks", with_header("A: b\r\n c       ")},
      {"obs-fold by a tab", with_header("A: b\r\n\tc")},
      {"obs-fold behind an empty value", with_header("A:\r\n b")},
      {"no colon", with_header("A")},
      {"empty name", with_header(": b")},
      {"bad character in a name", with_header("A(: b")},
      {"raw bytes in a name", with_header("A\xc3: b")},
      {"NUL in a name", with_header(std::string("A\0: b", 5))},
      {"NUL in a value", with_header(std::string("A: b\0c", 6))},
      {"control character in a value", with_header("A: b\x01")},
      {"DEL in a value", with_header("A: b\x7f")},

      {"Content-Length twice", posted("Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc")},
      {"Content-Length twice, different",
       posted("Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")},
      {"list in Content-Length", posted("Content-Length: 3, 3\r\n\r\nabc")},
      {"negative Content-Length", posted("Content-Length: -3\r\n\r\nabc")},
      {"Content-Length with plus", posted("Content-Length: +3\r\n\r\nabc")},
      {"hexadecimal Content-Length", posted("Content-Length: 0x3\r\n\r\nabc")},
      {"empty Content-Length", posted("Content-Length:\r\n\r\n")},
      {"Content-Length in two words", posted("Content-Length: 3 0\r\n\r\nabc")},
      {"Content-Length beyond 64 bits", posted("Content-Length: 18446744073709551616\r\n\r\n")},
      {"folded Content-Length", posted("Content-Length:\r\n 3\r\n\r\nabc")},
      {"space behind Content-Length", posted("Content-Length : 3\r\n\r\nabc")},
      {"Content-Length, then Transfer-Encoding",
       posted("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + body)},
      {"Transfer-Encoding, then Content-Length",
       posted("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + body)},
      {"identity and Content-Length",
       posted("Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc")},
      {"gzip", posted("Transfer-Encoding: gzip\r\n\r\nabc")},
      {"chunked, then gzip", posted("Transfer-Encoding: chunked, gzip\r\n\r\n" + body)},
      {"chunked twice", posted("Transfer-Encoding: chunked, chunked\r\n\r\n" + body)},
      {"two Transfer-Encodings",
       posted("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + body)},
      {"chunked, then identity",
       posted("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + body)},
      {"xchunked", posted("Transfer-Encoding: xchunked\r\n\r\n" + body)},
      {"chunkedx", posted("Transfer-Encoding: chunkedx\r\n\r\n" + body)},
      {"quoted chunked", posted("Transfer-Encoding: \"chunked\"\r\n\r\n" + body)},
      {"vertical tab before chunked", posted("Transfer-Encoding: \x0b"
                                             "chunked\r\n\r\n" +
                                             body)},
      {"empty Transfer-Encoding", posted("Transfer-Encoding:\r\n\r\n" + body)},
      {"folded Transfer-Encoding", posted("Transfer-Encoding:\r\n chunked\r\n\r\n" + body)},
      {"space behind Transfer-Encoding", posted("Transfer-Encoding : chunked\r\n\r\n" + body)},
      {"chunked with HTTP/1.0 (Node.js: 200)",
       "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + body},
      {"bad chunk size", chunked("zz\r\nabc\r\n0\r\n\r\n")},
      {"LF-only chunk size line", chunked("3\nabc\r\n0\r\n\r\n")},
  };
}

TEST(RequestParser, RefusesWhatNodeRefuses) {
  for (const Case& each : malformed()) {
    const auto requests = read_all(each.input);
    ASSERT_FALSE(requests.empty()) << each.what;
    EXPECT_EQ(requests[0].outcome, Outcome::malformed) << each.what;
    const auto bytewise = RequestReader(each.input, [] { return std::size_t{1}; }).read_all();
    EXPECT_EQ(bytewise[0].outcome, Outcome::malformed) << each.what << ", byte by byte";
  }
}

TEST(RequestParser, AcceptsWhatNodeAccepts) {
  const std::string body = "3\r\nabc\r\n0\r\n\r\n";
  const std::vector<Case> cases = {
      {"blank lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"two spaces behind the method", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"two spaces behind the target", "GET /  HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"absolute form", with_target("http://host/health")},
      {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"fragment", with_target("/a#b")},
      {"unusual characters", with_target("/<>\"{}|\\^`%")},
      {"rare method", "M-SEARCH / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"no Host", "GET / HTTP/1.1\r\n\r\n"},  // the session's business
      {"raw bytes in a value", with_header("A: \xc3\xa9\xff")},
      {"blank behind Content-Length", posted("Content-Length: 3 \r\n\r\nabc")},
      {"leading zeros", posted("Content-Length: 003\r\n\r\nabc")},
      {"upper-case chunked", posted("Transfer-Encoding: CHUNKED\r\n\r\n" + body)},
      {"gzip, then chunked", posted("Transfer-Encoding: gzip, chunked\r\n\r\n" + body)},
      {"body of GET", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(read_one(each.input).outcome, Outcome::message_complete) << each.what;
  }
}

}  // namespace
}  // namespace flowstore::http
