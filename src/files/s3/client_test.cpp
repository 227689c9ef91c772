#include "files/s3/client.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "support/manual_clock.h"
#include "support/run.h"
#include "support/scripted_store.h"

namespace flowstore::files::s3 {
namespace {

// Hands out K1, then K2 after that was refused.
class RenewedCredentials final : public aws::CredentialsProvider {
 public:
  Task<Result<std::shared_ptr<const aws::Credentials>>> get() override {
    aws::Credentials credentials;
    credentials.access_key_id = is_renewed_ ? "K2" : "K1";
    credentials.secret_access_key = Secret("s");
    co_return std::make_shared<const aws::Credentials>(credentials);
  }
  void refused(const aws::Credentials& credentials) override {
    is_renewed_ = is_renewed_ || credentials.access_key_id == "K1";
  }
  std::string source() const override { return "test"; }

 private:
  bool is_renewed_ = false;
};

class S3Client : public testing::Test {
 protected:
  // "200", or the error's code.
  std::string call(Repeat repeat = Repeat::freely) {
    Call call("PUT", "t/p/a");
    call.repeat = repeat;
    auto once = [&]() -> Task<std::string> {
      const auto answer = co_await made_.client.call(call);
      co_return answer ? std::to_string(answer->status) + answer->code : answer.error().code();
    };
    return run(once());
  }
  bool was_asked(std::size_t times) { return store_.heads().size() == times; }

  ManualClock clock_;
  RenewedCredentials credentials_;
  ScriptedStore store_;
  StoreClient made_{store_, clock_, credentials_};
};

TEST_F(S3Client, AsksAgainWhenItMay) {
  for (const int status : {500, 502, 503, 504, 429}) {
    store_.refuse(status, "SlowDown");
    store_.answer(200, "", "");
    EXPECT_EQ(call(), "200") << status;
  }
  store_.answer("");
  store_.answer(200, "", "");
  EXPECT_EQ(call(), "200");
}

TEST_F(S3Client, DoesNothingTwiceThatMustNotBe) {
  for (const int status : {500, 502, 503, 504, 429}) {
    store_.refuse(status, "SlowDown");
    EXPECT_EQ(call(Repeat::not_done), "storage_outcome_unknown") << status;
  }
  store_.answer("");
  EXPECT_EQ(call(Repeat::not_done), "storage_outcome_unknown");
  EXPECT_TRUE(was_asked(6));
}

TEST_F(S3Client, SendsAgainWhatDidNotArriveWhole) {
  store_.refuse(400, "XAmzContentSHA256Mismatch");
  store_.refuse(400, "BadDigest");
  store_.answer(200, "", "");
  EXPECT_EQ(call(Repeat::not_done), "200");
}

TEST_F(S3Client, TakesARefusalForAnAnswer) {
  store_.refuse(403, "AccessDenied");
  EXPECT_EQ(call(), "403AccessDenied");
  store_.refuse(412, "PreconditionFailed");
  EXPECT_EQ(call(Repeat::not_done), "412PreconditionFailed");
  EXPECT_TRUE(was_asked(2));
}

TEST_F(S3Client, GivesUpAfterAFewTries) {
  for (int i = 0; i < 20; ++i) store_.refuse(503, "SlowDown");
  EXPECT_EQ(call(), "storage_unavailable");
  EXPECT_TRUE(was_asked(6));
}

TEST_F(S3Client, SparesAStoreThatIsDown) {
  for (int i = 0; i < 20; ++i) store_.refuse(503, "SlowDown");
  EXPECT_EQ(call(), "storage_unavailable");
  EXPECT_EQ(call(), "storage_unavailable");
  EXPECT_TRUE(was_asked(10));
  EXPECT_EQ(call(), "storage_unavailable");
  EXPECT_TRUE(was_asked(10));
}

TEST_F(S3Client, GoesByTheStoresClockWhenItsOwnIsRefused) {
  store_.refuse(403, "RequestTimeTooSkewed", "date: Thu, 01 Jan 2026 03:00:00 GMT\r\n");
  store_.answer(200, "", "");
  EXPECT_EQ(call(), "200");
  const auto heads = store_.heads();
  ASSERT_EQ(heads.size(), 2U);
  EXPECT_NE(heads[0].find("x-amz-date: 20260101T010000Z"), std::string::npos);
  EXPECT_NE(heads[1].find("x-amz-date: 20260101T030000Z"), std::string::npos);
}

TEST_F(S3Client, TakesNewCredentialsWhenTheOldOnesAreRefused) {
  store_.refuse(400, "ExpiredToken");
  store_.answer(200, "", "");
  EXPECT_EQ(call(), "200");
  const auto heads = store_.heads();
  EXPECT_NE(heads[0].find("Credential=K1/"), std::string::npos);
  EXPECT_NE(heads[1].find("Credential=K2/"), std::string::npos);
  store_.refuse(400, "ExpiredToken");
  store_.refuse(400, "ExpiredToken");
  EXPECT_EQ(call(), "400ExpiredToken");
}

}  // namespace
}  // namespace flowstore::files::s3
