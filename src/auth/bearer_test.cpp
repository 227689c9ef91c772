#include "auth/bearer.h"

#include <gtest/gtest.h>

namespace flowstore::auth {
namespace {

TEST(BearerToken, IsTheSecondOfTwoWords) {
  EXPECT_EQ(bearer_token("Bearer ffp_abc-123"), "ffp_abc-123");
}

TEST(BearerToken, IsNotFoundInAnyOtherForm) {
  for (const std::string_view header :
       {"", "Bearer", "Bearer ", "bearer x", "BEARER x", "Basic x", "Bearer  x", "Bearer x y",
        "Bearer x ", " Bearer x", "Bearer\tx", "Bearerx", "Token"}) {
    EXPECT_EQ(bearer_token(header), std::nullopt) << header;
  }
}

}  // namespace
}  // namespace flowstore::auth
