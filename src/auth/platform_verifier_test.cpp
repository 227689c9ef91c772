#include "auth/platform_verifier.h"

#include <string>

#include <gtest/gtest.h>

#include "support/fake_platform.h"
#include "support/run.h"

namespace flowstore::auth {
namespace {

using std::chrono::milliseconds;

// For tests in which time shall play no part.
constexpr milliseconds plenty(20'000);

class PlatformVerifierTest : public testing::Test {
 protected:
  Result<Grant> verify(std::string_view project, std::string_view token,
                       milliseconds budget = plenty, std::string base_url = "") {
    if (base_url.empty()) base_url = platform_.url();
    PlatformVerifier verifier(connector_, base_url, budget, clock_, log_, registry_);
    return run(verifier.verify(project, token));
  }
  Result<Grant> verify_within(milliseconds budget) { return verify("p1", "abc", budget); }

  std::uint64_t checks(std::string_view result) {
    return registry_.counter("flowstore_platform_checks_total", "", {{"result", result}}).value();
  }

  SystemClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  FakePlatform platform_;
  const http::Trust trust_{nullptr};
  http::Connector connector_{trust_};
};

FakePlatform::Answer slow_answer(milliseconds delay) {
  FakePlatform::Answer answer;
  answer.delay = delay;
  return answer;
}

FakePlatform::Answer answer_with_retry_after(int status, const std::string& value) {
  FakePlatform::Answer answer(status);
  answer.headers = "Retry-After: " + value + "\r\n";
  return answer;
}

TEST_F(PlatformVerifierTest, AsksAsTheOldServerDid) {
  platform_.answer(FakePlatform::Answer(200, R"({"quota":{"file":100}})"));
  const auto grant = verify("p1", "ffp_abc");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->file_quota, 100U);
  EXPECT_EQ(platform_.last_request(), "GET /account/check/project/p1");
  EXPECT_EQ(platform_.last_header("user-agent"), "FlowFuse Storage Server");
  EXPECT_EQ(platform_.last_header("ff-quota"), "true");
  EXPECT_EQ(platform_.last_header("authorization"), "Bearer ffp_abc");
  EXPECT_EQ(checks("valid"), 1U);
}

TEST_F(PlatformVerifierTest, TakesARefusalWithoutATokenForASignOfLife) {
  platform_.answer(FakePlatform::Answer(401, "{}"));
  PlatformVerifier verifier(connector_, platform_.url(), plenty, clock_, log_, registry_);
  EXPECT_TRUE(run(verifier.probe()));
  EXPECT_FALSE(platform_.last_header("authorization"));
  EXPECT_TRUE(verifier.outage().latest()->is_answer);
  platform_.answer(FakePlatform::Answer(500, "{}"));
  EXPECT_FALSE(run(verifier.probe()));
  EXPECT_FALSE(verifier.outage().latest()->is_answer);
  EXPECT_EQ(checks("refused") + checks("unavailable"), 0U);
}

TEST_F(PlatformVerifierTest, KeepsThePathOfTheBaseUrl) {
  ASSERT_TRUE(verify("p1", "abc", plenty, platform_.url() + "/flow/fuse/"));
  EXPECT_EQ(platform_.last_request(), "GET /flow/fuse/account/check/project/p1");
}

TEST_F(PlatformVerifierTest, EncodesTheProject) {
  ASSERT_TRUE(verify("a/../b?x#y\r\nff: 1%20é", "abc"));
  EXPECT_EQ(platform_.last_request(),
            "GET /account/check/project/a%2F..%2Fb%3Fx%23y%0D%0Aff%3A%201%2520%C3%A9");
  ASSERT_TRUE(verify("", "abc"));
  EXPECT_EQ(platform_.last_request(), "GET /account/check/project/");
}

TEST_F(PlatformVerifierTest, AsksNothingThatCannotBeAsked) {
  for (const std::string_view token :
       {std::string_view(""), std::string_view("a b"), std::string_view("a\tb"),
        std::string_view("a\r\nff-quota: x"), std::string_view("a\0b", 3),
        std::string_view("t\xc3\xb6ken"), std::string_view("a\x7f")}) {
    EXPECT_EQ(verify("p1", token).error().kind(), ErrorKind::unauthorized);
  }
  for (const std::string_view project : {".", ".."}) {
    EXPECT_EQ(verify(project, "abc").error().kind(), ErrorKind::unauthorized);
  }
  EXPECT_EQ(platform_.calls(), 0);
}

TEST_F(PlatformVerifierTest, TakesARefusalAtItsWord) {
  platform_.answer(FakePlatform::Answer(401));
  EXPECT_EQ(verify("p1", "abc").error().kind(), ErrorKind::unauthorized);
  platform_.answer(FakePlatform::Answer(200, "<html>log in</html>"));
  EXPECT_EQ(verify("p1", "abc").error().kind(), ErrorKind::unauthorized);
  EXPECT_EQ(platform_.calls(), 2);
  EXPECT_EQ(checks("refused"), 2U);
}

TEST_F(PlatformVerifierTest, TriesAgainAfterTrouble) {
  FakePlatform::Answer dropped;
  dropped.drop = true;
  platform_.answer_once(dropped);
  platform_.answer_once(FakePlatform::Answer(503));
  EXPECT_TRUE(verify("p1", "abc"));
  EXPECT_EQ(platform_.calls(), 3);
  EXPECT_EQ(checks("valid"), 1U);
}

// One that goes nowhere looks like a platform that is slow.
TEST_F(PlatformVerifierTest, TriesAgainOnANewConnection) {
  ASSERT_TRUE(verify("p1", "abc"));
  ASSERT_TRUE(verify("p1", "abc"));
  ASSERT_EQ(platform_.connections(), 1);
  platform_.answer_once(FakePlatform::Answer(503));
  EXPECT_TRUE(verify("p1", "abc"));
  EXPECT_EQ(platform_.connections(), 2);
}

TEST_F(PlatformVerifierTest, GivesUpAfterThreeTries) {
  platform_.answer(FakePlatform::Answer(500));
  const auto grant = verify("p1", "abc");
  ASSERT_FALSE(grant);
  EXPECT_EQ(grant.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(grant.error().code(), "auth_unavailable");
  EXPECT_EQ(grant.error().message().find("abc"), std::string::npos);
  EXPECT_EQ(platform_.calls(), 3);
  EXPECT_EQ(checks("unavailable"), 1U);
}

TEST_F(PlatformVerifierTest, DoesNotRepeatWhatCannotHelp) {
  platform_.answer(FakePlatform::Answer(501));
  EXPECT_EQ(verify("p1", "abc").error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(platform_.calls(), 1);
}

TEST_F(PlatformVerifierTest, WaitsAsLongAsItIsAskedTo) {
  platform_.answer_once(answer_with_retry_after(429, "1"));
  const auto started = clock_.now();
  EXPECT_TRUE(verify("p1", "abc"));
  EXPECT_GE(clock_.now() - started, std::chrono::seconds(1));
}

TEST_F(PlatformVerifierTest, GivesUpIfAskedToWaitTooLong) {
  for (const std::string value : {"3600", "Mon, 23 Nov 2099 09:00:00 GMT"}) {
    platform_.answer_once(answer_with_retry_after(429, value));
    EXPECT_EQ(verify("p1", "abc").error().kind(), ErrorKind::unavailable) << value;
  }
  EXPECT_EQ(platform_.calls(), 2);
}

TEST_F(PlatformVerifierTest, WaitsForAPlatformThatNeedsHalfTheTime) {
  platform_.answer(slow_answer(milliseconds(350)));
  EXPECT_TRUE(verify_within(milliseconds(750)));
  EXPECT_EQ(platform_.calls(), 1);
}

TEST_F(PlatformVerifierTest, LeavesTimeForAnotherTryWhenOneHangs) {
  platform_.answer_once(slow_answer(plenty));
  EXPECT_TRUE(verify_within(milliseconds(750)));
  EXPECT_EQ(platform_.calls(), 2);
}

TEST_F(PlatformVerifierTest, StaysInsideItsBudget) {
  platform_.answer(slow_answer(plenty));
  const auto started = clock_.now();
  EXPECT_EQ(verify_within(milliseconds(300)).error().kind(), ErrorKind::unavailable);
  const auto took = clock_.now() - started;
  EXPECT_GE(took, milliseconds(200));
  EXPECT_LT(took, milliseconds(2000));  // a lot, for machines with other things to do
}

TEST_F(PlatformVerifierTest, IsUnavailableWhenNobodyListens) {
  std::string url;
  {
    const FakePlatform gone;
    url = gone.url();
  }
  EXPECT_EQ(verify("p1", "abc", plenty, url).error().kind(), ErrorKind::unavailable);
}

TEST(EncodeUriComponent, LeavesWhatJavaScriptLeaves) {
  EXPECT_EQ(encode_uri_component("azAZ09-_.!~*'()"), "azAZ09-_.!~*'()");
  EXPECT_EQ(encode_uri_component(" /\\+@&=\x01\xff"), "%20%2F%5C%2B%40%26%3D%01%FF");
}

}  // namespace
}  // namespace flowstore::auth
