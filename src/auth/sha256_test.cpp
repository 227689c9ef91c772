#include "auth/sha256.h"

#include <string>

#include <gtest/gtest.h>

namespace flowstore::auth {
namespace {

// The example of FIPS 180-2, appendix B.1.
constexpr std::string_view digest_of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, IsReadAsItIsWritten) { EXPECT_EQ(sha256("abc"), parse_digest(digest_of_abc)); }

TEST(Sha256, IsReadInEitherCase) {
  std::string upper(digest_of_abc);
  for (char& digit : upper) digit = static_cast<char>(std::toupper(digit));
  EXPECT_EQ(parse_digest(upper), parse_digest(digest_of_abc));
}

TEST(Sha256, IsNotReadFromAnythingElse) {
  EXPECT_EQ(parse_digest(""), std::nullopt);
  EXPECT_EQ(parse_digest(digest_of_abc.substr(1)), std::nullopt);
  EXPECT_EQ(parse_digest(std::string(digest_of_abc) + "0"), std::nullopt);
  EXPECT_EQ(parse_digest(std::string(63, '0') + "g"), std::nullopt);
}

}  // namespace
}  // namespace flowstore::auth
