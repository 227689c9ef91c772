#include "auth/fixed_verifier.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "support/run.h"

namespace flowstore::auth {
namespace {

config::FixedToken token_for(std::string project, std::string text) {
  config::FixedToken token;
  token.token = Secret(std::move(text));
  token.project = std::move(project);
  return token;
}

TEST(FixedVerifier, GrantsWhatIsConfigured) {
  config::FixedToken token = token_for("p1", "abc");
  token.team = "t1";
  token.file_quota = 100;
  token.context_quota = 7;
  FixedVerifier verifier({token});

  const auto grant = run(verifier.verify("p1", "abc"));
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->file_quota, 100U);
  EXPECT_EQ(grant->context_quota, 7U);
  EXPECT_TRUE(grant->allows_team("t1"));
  EXPECT_FALSE(grant->allows_team("t2"));
}

TEST(FixedVerifier, TakesADigestInsteadOfTheToken) {
  config::FixedToken token = token_for("p1", "");
  token.sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  FixedVerifier verifier({token});
  EXPECT_TRUE(run(verifier.verify("p1", "abc")));
  EXPECT_FALSE(run(verifier.verify("p1", token.sha256)));
}

TEST(FixedVerifier, RefusesOtherProjectsAndOtherTokens) {
  FixedVerifier verifier({token_for("p1", "abc"), token_for("p2", "def")});
  for (const auto& [project, token] : {std::pair("p2", "abc"), std::pair("p1", "def"),
                                       std::pair("p1", "ab"), std::pair("p1", "")}) {
    const auto grant = run(verifier.verify(project, token));
    ASSERT_FALSE(grant) << project << ' ' << token;
    EXPECT_EQ(grant.error().kind(), ErrorKind::unauthorized);
  }
}

TEST(FixedVerifier, LetsOneTokenWorkOnSeveralProjects) {
  FixedVerifier verifier({token_for("p1", "abc"), token_for("p2", "abc")});
  EXPECT_TRUE(run(verifier.verify("p1", "abc")));
  EXPECT_TRUE(run(verifier.verify("p2", "abc")));
}

TEST(FixedVerifier, AcceptsAnyKnownTokenWhereThereIsNoProject) {
  config::FixedToken token = token_for("p1", "abc");
  token.team = "t1";
  FixedVerifier verifier({token});
  const auto grant = run(verifier.verify("", "abc"));
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->allows_team(""));
  EXPECT_FALSE(run(verifier.verify("", "def")));
}

TEST(FixedVerifier, RefusesAListThatMeansTwoThings) {
  const std::vector<config::FixedToken> twice{token_for("p1", "abc"), token_for("p1", "abc")};
  EXPECT_THROW(FixedVerifier verifier(twice), std::invalid_argument);
  const std::vector<config::FixedToken> nowhere{token_for("", "abc")};
  EXPECT_THROW(FixedVerifier verifier(nowhere), std::invalid_argument);
}

TEST(FixedVerifier, AnswersAtOnce) {
  FixedVerifier verifier({token_for("p1", "abc")});
  for (int time = 0; time < 2; ++time) {
    ASSERT_TRUE(verifier.verify_now("p1", "abc"));
    EXPECT_TRUE(*verifier.verify_now("p1", "abc"));
    ASSERT_TRUE(verifier.verify_now("p2", "abc"));
    EXPECT_FALSE(*verifier.verify_now("p2", "abc"));
  }
}

}  // namespace
}  // namespace flowstore::auth
