#include "auth/known_tokens.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace flowstore::auth {
namespace {

TEST(KnownTokens, AreRecognisedAtEveryTime) {
  const KnownTokens tokens({sha256("one"), sha256("two")});
  for (int time = 0; time < 3; ++time) {
    ASSERT_NE(tokens.find("one"), nullptr);
    EXPECT_EQ(*tokens.find("one"), sha256("one"));
    ASSERT_NE(tokens.find("two"), nullptr);
    EXPECT_EQ(*tokens.find("two"), sha256("two"));
  }
}

TEST(KnownTokens, DoNotComeToKnowOthers) {
  const KnownTokens tokens({sha256("one")});
  EXPECT_NE(tokens.find("one"), nullptr);
  for (int time = 0; time < 3; ++time) {
    EXPECT_EQ(tokens.find("on"), nullptr);
    EXPECT_EQ(tokens.find("onE"), nullptr);
    EXPECT_EQ(tokens.find(""), nullptr);
  }
}

TEST(KnownTokens, AreNoneWhereNoneIsConfigured) {
  const KnownTokens tokens({});
  EXPECT_EQ(tokens.find(""), nullptr);
  EXPECT_EQ(tokens.find("one"), nullptr);
}

TEST(KnownTokens, MayBeListedTwice) {
  const KnownTokens tokens({sha256("one"), sha256("one")});
  EXPECT_NE(tokens.find("one"), nullptr);
  EXPECT_NE(tokens.find("one"), nullptr);
}

TEST(KnownTokens, AreSeenByManyThreadsAtOnce) {
  std::vector<Sha256> digests;
  for (int i = 0; i < 500; ++i) digests.push_back(sha256(std::to_string(i)));
  const KnownTokens tokens(digests);
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        const Sha256* const digest = tokens.find(std::to_string(i));
        if (digest != nullptr && *digest == sha256(std::to_string(i))) ++found;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, 4 * 500);
}

}  // namespace
}  // namespace flowstore::auth
