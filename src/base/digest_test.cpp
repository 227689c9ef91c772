#include "base/digest.h"

#include <gtest/gtest.h>

namespace flowstore {
namespace {

// The examples of FIPS 180-2, appendix B.1, and of RFC 1321, appendix A.5.
constexpr std::string_view kSha256OfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kMd5OfAbc = "900150983cd24fb0d6963f7d28e17f72";

std::string of_pieces(Digest::Algorithm algorithm) {
  Digest digest(algorithm);
  digest.add("a");
  digest.add("");
  digest.add("bc");
  return digest.finish_in_hex();
}

TEST(Digest, IsWhatTheStandardsShow) {
  EXPECT_EQ(hex(sha256("abc")), kSha256OfAbc);
  EXPECT_EQ(of_pieces(Digest::Algorithm::sha256), kSha256OfAbc);
  EXPECT_EQ(of_pieces(Digest::Algorithm::md5), kMd5OfAbc);
}

TEST(Digest, OfNothingIsOne) {
  EXPECT_EQ(Digest(Digest::Algorithm::md5).finish().size(), 16U);
  const auto bytes = Digest(Digest::Algorithm::sha256).finish();
  EXPECT_EQ(hex(bytes), hex(sha256("")));
}

TEST(Hex, KeepsZeros) {
  EXPECT_EQ(hex({}), "");
  const std::array<std::uint8_t, 3> bytes = {0x00, 0x0A, 0xFF};
  EXPECT_EQ(hex(bytes), "000aff");
}

}  // namespace
}  // namespace flowstore
