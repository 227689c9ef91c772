// Requests built of hostile parts, against every driver: none may reach another project, none may
// tell where things lie. ISOLATION_TRIES requests in all, from ISOLATION_SEED on.

#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "isolation/house.h"
#include "support/s3_bucket.h"

namespace flowstore::isolation {
namespace {

using files::localfs::Durability;
using files::localfs::Resolution;

// After so many requests everything is compared.
constexpr std::size_t kBatch = 1000;

// A pair of drivers.
struct Setting {
  std::string name;
  std::function<std::unique_ptr<FileGround>()> files;
  std::function<std::unique_ptr<ContextGround>()> context;
  std::size_t share;  // of a thousand requests
  bool needs_s3 = false;
};

void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

std::size_t tries_of(const Setting& setting) { return chosen_tries() * setting.share / 1000; }

class Isolation : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    if (GetParam().needs_s3 && files::s3::engine_url() == nullptr) {
      GTEST_SKIP() << "needs a store: set FLOWSTORE_S3, see tests/s3/README.md";
    }
    files_ = GetParam().files();
    context_ = GetParam().context();
  }

  // Sends so many requests; the first fault ends it.
  void attack(House& house, Hostile& hostile, std::size_t tries) {
    const Belongings before = house.others();
    for (std::size_t done = 0; done < tries && !HasFailure(); ++done) {
      const Attempt attempt = hostile.next();
      const Answer answer = house.ask(attempt);
      ++statuses_[answer.status];
      const auto fault = house.fault(attempt, answer);
      ASSERT_FALSE(fault) << "seed " << chosen_seed() << ", request " << done << " " << *fault
                          << "\n"
                          << attempt.words();
      if (done % kBatch + 1 != kBatch && done + 1 != tries) continue;
      house.clear_attacker();
      ASSERT_EQ(differences(before, house.others()), "")
          << "seed " << chosen_seed() << ", in the " << kBatch << " requests up to " << done;
    }
  }

  std::unique_ptr<FileGround> files_;
  std::unique_ptr<ContextGround> context_;
  std::map<int, std::size_t> statuses_;
};

TEST_P(Isolation, NoRequestReachesAnotherProject) {
  Hostile hostile(chosen_seed());
  const std::size_t tries = tries_of(GetParam());
  for (const Reach reach : {Reach::own_team, Reach::any_team}) {
    House house(*files_, *context_, reach);
    attack(house, hostile, tries / 2);
    if (HasFailure()) return;
    house.clear_attacker();
  }
  std::cout << "seed " << chosen_seed() << ":";
  for (const auto& [status, count] : statuses_) std::cout << " " << count << "x" << status;
  std::cout << "\n";
  // Requests that were all refused at the door would have tried nothing.
  EXPECT_GT(statuses_[200], tries / 20);
  EXPECT_GT(statuses_[404], tries / 50);
}

// Without this the test above could not fail.
TEST_P(Isolation, WhatItLooksForIsThere) {
  House house(*files_, *context_, Reach::own_team);
  const Place victim = kVictims.front();
  const Belongings before = house.others();
  for (const char* target : {"/v1/files/team/beta/known.txt", "/v1/files/team/beta/?list",
                             "/v1/files/team/beta/?list&recursive&cursor=d",
                             "/v1/context/beta/f1?key=k", "/v1/context/beta/cache"}) {
    const Attempt attempt{"GET", target, {{"Authorization", "Bearer " + token_of(victim)}}, ""};
    const Answer answer = house.ask(attempt);
    EXPECT_TRUE(answer.is_good()) << target << " " << answer.body;
    EXPECT_TRUE(house.fault(attempt, answer)) << target << " " << answer.body;
  }
  const auto change = [&](std::string_view method, const char* target, const char* body) {
    const Belongings old = house.others();
    EXPECT_TRUE(house.ask(victim, method, target, body).is_good()) << target;
    EXPECT_NE(differences(old, house.others()), "") << method << " " << target;
  };
  change("POST", "/v1/files/team/beta/known.txt", "x");
  change("POST", "/v1/files/team/beta/new.txt", "x");
  change("DELETE", "/v1/files/team/beta/dir/known.txt", "");
  change("POST", "/v1/context/beta/f1", R"([{"key":"k","value":1}])");
  change("DELETE", "/v1/context/beta/global", "");
}

Setting local_setting(std::string name, Resolution resolution,
                      std::function<std::unique_ptr<ContextGround>()> context, std::size_t share) {
  const auto files = [resolution] { return local_files(resolution, Durability::relaxed); };
  return {std::move(name), files, std::move(context), share};
}

INSTANTIATE_TEST_SUITE_P(
    Drivers, Isolation,
    testing::Values(Setting{"Memory", memory_files, memory_context, 450},
                    local_setting("LocalfsAndSqlite", Resolution::automatic, sqlite_context, 280),
                    local_setting("LocalfsComponentwise", Resolution::componentwise, memory_context,
                                  220),
                    Setting{"MemoryAndPostgres", memory_files, postgres_context, 25},
                    Setting{"S3", s3_files, memory_context, 25, true}),
    [](const auto& setting) { return setting.param.name; });

}  // namespace
}  // namespace flowstore::isolation
