#include "http/chunk_decoder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace flowstore::http {
namespace {

using Outcome = ChunkDecoder::Outcome;

struct Decoded {
  Outcome outcome = Outcome::need_more;
  std::string body;
  std::string rest;
};

Decoded decode(std::string input, std::size_t piece_size = 1 << 20, std::size_t max_line = 64) {
  ChunkDecoder decoder(max_line);
  Decoded result;
  for (std::size_t at = 0; at < input.size() && result.outcome == Outcome::need_more;) {
    const std::size_t size = std::min(piece_size, input.size() - at);
    result.outcome = decoder.decode(std::span(input.data() + at, size));
    if (result.outcome == Outcome::malformed) break;
    result.body += decoder.piece();
    at += decoder.consumed();
    if (result.outcome == Outcome::complete) result.rest = input.substr(at);
  }
  return result;
}

TEST(ChunkDecoder, JoinsChunksAndStopsAtTheEnd) {
  const Decoded decoded = decode("5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\nGET");
  EXPECT_EQ(decoded.outcome, Outcome::complete);
  EXPECT_EQ(decoded.body, "hello0123456789");
  EXPECT_EQ(decoded.rest, "GET");
}

TEST(ChunkDecoder, GivesTheSameForPiecesOfAnySize) {
  const std::string input = "3;a=b\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: v\r\n\r\n";
  for (std::size_t size = 1; size <= input.size(); ++size) {
    const Decoded decoded = decode(input, size);
    EXPECT_EQ(decoded.outcome, Outcome::complete) << size;
    EXPECT_EQ(decoded.body, "abc0123456789") << size;
  }
}

TEST(ChunkDecoder, CanBeUsedForTheNextBody) {
  ChunkDecoder decoder(64);
  std::string broken = "5\r\nhel";
  EXPECT_EQ(decoder.decode(broken), Outcome::need_more);
  decoder.reset();
  std::string input = "1\r\nx\r\n0\r\n\r\n";
  EXPECT_EQ(decoder.decode(input), Outcome::complete);
  EXPECT_EQ(decoder.piece(), "x");
}

TEST(ChunkDecoder, AcceptsExtensionsAndTrailers) {
  for (const char* const input : {"0;a\r\n\r\n", "0;a=\"b;c\"\r\n\r\n", "000\r\n\r\n",
                                  "0\r\nT: v\r\nU:\r\n\r\n", "0\r\nT: \xc3\xa9\t\r\n\r\n"}) {
    EXPECT_EQ(decode(input).outcome, Outcome::complete) << input;
  }
}

TEST(ChunkDecoder, RefusesEveryOtherForm) {
  const std::vector<std::string> inputs = {
      "zz\r\n",          "-3\r\nabc",        "+3\r\nabc",      "0x3\r\nabc",
      "\r\nabc",         " 3\r\nabc",        "3 \r\nabc",      "3\t\r\nabc",
      "3\nabc",          "3\rabc",           "3\rXabc",        "3\r\nabc\n",
      "3\r\nabc0",       "3\r\nabcXX",       "3\r\nabc\rX",    "3\r\nabcd",
      "0\n\n",           "0\r\n\n",          "0\r\n\rX",       "3;\r\nabc",
      "3; a\r\nabc",     "3;a\nabc",         "3;a\rXabc",      std::string("3;a\0\r\n", 6),
      "0\r\nT: v\n\r\n", "0\r\nT: v\r\n w",  "0\r\nT\r\n\r\n", "0\r\nT : v\r\n",
      "0\r\n: v\r\n",    "0\r\nT: \x01\r\n", "3;\xc3\r\n",     std::string("0\r\nT: \0", 7),
  };
  for (const std::string& input : inputs) {
    EXPECT_EQ(decode(input).outcome, Outcome::malformed) << input;
    EXPECT_EQ(decode(input, 1).outcome, Outcome::malformed) << input;
  }
}

TEST(ChunkDecoder, RefusesASizeBeyond64Bits) {
  EXPECT_EQ(decode("ffffffffffffffff\r\nabc").outcome, Outcome::need_more);
  EXPECT_EQ(decode("10000000000000000\r\n").outcome, Outcome::malformed);
}

TEST(ChunkDecoder, BoundsWhatItForgets) {
  const std::string many(64, 'a');
  EXPECT_EQ(decode("1;" + many).outcome, Outcome::malformed);
  EXPECT_EQ(decode(std::string(64, '0')).outcome, Outcome::malformed);
  EXPECT_EQ(decode("0\r\nT: " + many).outcome, Outcome::malformed);
  // Trailers count together.
  EXPECT_EQ(decode("0\r\nT:" + std::string(40, 'a') + "\r\nU:" + std::string(40, 'a')).outcome,
            Outcome::malformed);
}

TEST(ChunkDecoder, BoundsTheFramingAroundNextToNothing) {
  const std::string chunk = "1;" + std::string(24, 'a') + "\r\nx\r\n";
  EXPECT_EQ(decode(chunk + chunk).body, "xx");
  EXPECT_EQ(decode(chunk + chunk + chunk).outcome, Outcome::malformed);
  // As much as there is content may go on for ever.
  const std::string fair = "1e;" + std::string(24, 'a') + "\r\n" + std::string(30, 'x') + "\r\n";
  std::string many;
  for (int i = 0; i < 1000; ++i) many += fair + "1\r\nx\r\n";
  EXPECT_EQ(decode(many + "0\r\nT: " + std::string(40, 'a') + "\r\n\r\n").outcome,
            Outcome::complete);
}

}  // namespace
}  // namespace flowstore::http
