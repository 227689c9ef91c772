#include "auth/platform_answer.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace flowstore::auth {
namespace {

Grant grant_of(std::string_view body) {
  const PlatformAnswer answer = read_platform_answer(200, body);
  EXPECT_EQ(answer.meaning, Meaning::granted) << body;
  return answer.grant;
}

TEST(PlatformAnswer, GrantsWithAJsonObject) {
  EXPECT_EQ(grant_of("{}"), Grant());
  EXPECT_EQ(grant_of(" {\"a\":[1,{\"b\":null}]}\n"), Grant());
  EXPECT_EQ(read_platform_answer(201, "{}").meaning, Meaning::granted);
}

TEST(PlatformAnswer, RefusesWithAnythingElse) {
  for (const std::string_view body :
       {"", "[]", "null", "false", "0", "\"x\"", "<html>hi</html>", "{", "{}{}", "{\"a\":1,}",
        "{'a':1}", "{\"a\":01}", "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(read_platform_answer(200, body).meaning, Meaning::refused) << body;
  }
  EXPECT_EQ(read_platform_answer(204, "").meaning, Meaning::refused);
}

TEST(PlatformAnswer, DoesNotFollowABodyIntoTheDepths) {
  std::string body;
  for (int i = 0; i < 30'000; ++i) body += "{\"a\":";
  EXPECT_EQ(read_platform_answer(200, body).meaning, Meaning::refused);
}

TEST(PlatformAnswer, CarriesTheQuotas) {
  const Grant grant = grant_of(R"({"quota":{"file":100,"context":7}})");
  EXPECT_EQ(grant.file_quota, 100U);
  EXPECT_EQ(grant.context_quota, 7U);
  EXPECT_FALSE(grant.team);
}

TEST(PlatformAnswer, ReadsNumbersAsJavaScriptCompares) {
  const auto limit = [](const std::string& value) {
    return grant_of(R"({"quota":{"file":)" + value + "}}").file_quota;
  };
  EXPECT_EQ(limit("1.048576e8"), 104'857'600U);
  EXPECT_EQ(limit("\"100\""), 100U);
  EXPECT_EQ(limit("9223372036854775808"), 9'223'372'036'854'775'808U);
  EXPECT_EQ(limit("1e300"), std::numeric_limits<std::uint64_t>::max());
}

TEST(PlatformAnswer, HasNoQuotaWhereNoneIsMeant) {
  for (const std::string value :
       {"0", "null", "-5", "-5.5", "0.0", "false", "\"\"", "\"x\"", "\"1x\"", "[]", "{}"}) {
    EXPECT_EQ(grant_of(R"({"quota":{"file":)" + value + "}}").file_quota, std::nullopt) << value;
  }
  EXPECT_EQ(grant_of(R"({"quota":5})"), Grant());
  EXPECT_EQ(grant_of(R"({"quota":null})"), Grant());
}

TEST(PlatformAnswer, RefusesATokenThatThePlatformRefuses) {
  for (const int status : {401, 403, 404}) {
    EXPECT_EQ(read_platform_answer(status, "{}").meaning, Meaning::refused) << status;
  }
}

TEST(PlatformAnswer, SaysNothingAboutTheTokenInTrouble) {
  for (const int status : {408, 413, 429, 500, 502, 503, 504, 521, 522, 524}) {
    EXPECT_EQ(read_platform_answer(status, "{}").meaning, Meaning::try_again) << status;
  }
  for (const int status : {100, 302, 304, 400, 402, 405, 407, 418, 431, 501, 505, 520}) {
    EXPECT_EQ(read_platform_answer(status, "{}").meaning, Meaning::broken) << status;
  }
}

TEST(RetryAfter, CountsSeconds) {
  EXPECT_EQ(parse_retry_after("0"), std::chrono::seconds(0));
  EXPECT_EQ(parse_retry_after("120"), std::chrono::seconds(120));
  for (const std::string_view header :
       {"", "-1", "1.5", "1 ", "soon", "99999999999", "Mon, 23 Nov 2026 09:00:00 GMT"}) {
    EXPECT_EQ(parse_retry_after(header), std::nullopt) << header;
  }
}

}  // namespace
}  // namespace flowstore::auth
