#include "auth/service_tokens.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace flowstore::auth {
namespace {

config::FixedToken plain(std::string text) {
  config::FixedToken token;
  token.token = Secret(std::move(text));
  return token;
}

config::FixedToken hashed(std::string hex) {
  config::FixedToken token;
  token.sha256 = std::move(hex);
  return token;
}

TEST(ServiceTokens, KnowsTokensWrittenAsTextAndAsDigest) {
  const ServiceTokens tokens(
      {plain("one"), hashed("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")});
  EXPECT_TRUE(tokens.contains("one"));
  EXPECT_TRUE(tokens.contains("abc"));
  EXPECT_FALSE(tokens.contains("two"));
  EXPECT_FALSE(tokens.contains(""));
}

TEST(ServiceTokens, KnowsNothingWhenNothingIsConfigured) {
  const ServiceTokens tokens({});
  EXPECT_FALSE(tokens.contains(""));
  EXPECT_FALSE(tokens.contains("abc"));
}

TEST(ServiceTokens, RefusesADigestThatIsNone) {
  const std::vector<config::FixedToken> configured{hashed("abc")};
  EXPECT_THROW(const ServiceTokens tokens(configured), std::invalid_argument);
  EXPECT_THROW(digest_of(config::FixedToken()), std::invalid_argument);
}

}  // namespace
}  // namespace flowstore::auth
