#include "api/readiness.h"

#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "api/open_routes.h"
#include "base/log.h"
#include "support/bodies.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace flowstore::api {
namespace {

using std::chrono::seconds;

class ReadinessTest : public testing::Test {
 protected:
  // What the probe of `name` says is `answer`, once the loop runs.
  Dependency dependency(std::string_view name) {
    Dependency made;
    made.name = name;
    made.complaint = "It is out.";
    made.probe = [this]() -> Task<Status> {
      ++probes;
      co_return answer;
    };
    return made;
  }

  // What is said now; the probes that it sends end afterwards.
  std::vector<Condition> ask() {
    auto found = readiness.ask(loop.get_executor());
    loop.restart();
    loop.run();
    return found;
  }

  static std::string body_of(const std::vector<Condition>& conditions, int status) {
    http::Response response = ready_response(conditions);
    EXPECT_EQ(response.status, status);
    return bytes_of(response.content);
  }

  ManualClock clock;
  Log log{LogLevel::silent, LogFormat::json, clock};
  OutageLog outage{clock, log, "It is out.", "It is back."};
  boost::asio::io_context loop;
  Readiness readiness{clock};
  Status answer;
  int probes = 0;
};

TEST_F(ReadinessTest, AnswersAtOnceAndLetsAProbeTellThoseWhoAskLater) {
  readiness.add(dependency("files"));
  EXPECT_FALSE(ask().front().is_well);
  EXPECT_EQ(ask().front().is_well, true);
  EXPECT_EQ(probes, 1);
}

TEST_F(ReadinessTest, SendsOneProbeHoweverManyAsk) {
  readiness.add(dependency("files"));
  for (int i = 0; i < 100; ++i) static_cast<void>(readiness.ask(loop.get_executor()));
  loop.run();
  EXPECT_EQ(probes, 1);
}

TEST_F(ReadinessTest, ProbesWhatHasNotBeenHeardOfForAWhile) {
  readiness.add(dependency("files"));
  ask();
  clock.advance(seconds(10));
  ask();
  EXPECT_EQ(probes, 1);
  clock.advance(seconds(1));
  ask();
  EXPECT_EQ(probes, 2);
}

TEST_F(ReadinessTest, SendsNoProbeWhereRequestsTell) {
  Dependency made = dependency("files");
  made.outage = &outage;
  readiness.add(std::move(made));
  outage.answered();
  EXPECT_EQ(ask().front().is_well, true);
  outage.failed("connection refused");
  EXPECT_EQ(ask().front().is_well, false);
  EXPECT_EQ(probes, 0);
}

TEST_F(ReadinessTest, LooksSoonerAtWhatIsOut) {
  readiness.add(dependency("files"));
  answer = Error(ErrorKind::unavailable, "x", "connection refused at 10.0.0.1");
  ask();
  answer = Status();
  clock.advance(seconds(3));
  EXPECT_EQ(ask().front().is_well, false);
  EXPECT_EQ(ask().front().is_well, true);
}

TEST_F(ReadinessTest, SaysThatAProbeWhichDoesNotComeBackHangs) {
  Dependency made = dependency("files");
  made.was_opened = true;
  readiness.add(std::move(made));
  clock.advance(seconds(11));
  EXPECT_EQ(readiness.ask(loop.get_executor()).front().is_well, true);
  clock.advance(seconds(6));
  EXPECT_EQ(readiness.known().front().is_well, false);
  EXPECT_EQ(readiness.ask(loop.get_executor()).front().is_well, false);
  loop.run();
  EXPECT_EQ(probes, 1);
  EXPECT_EQ(readiness.known().front().is_well, true);
}

TEST_F(ReadinessTest, KeepsTheMomentOfTheChange) {
  readiness.add(dependency("files"));
  ask();
  const auto since = readiness.known().front().since;
  clock.advance(seconds(60));
  ask();
  EXPECT_EQ(readiness.known().front().since, since);
  answer = Error(ErrorKind::unavailable, "x", "y");
  clock.advance(seconds(60));
  ask();
  EXPECT_EQ(readiness.known().front().since, since + seconds(120));
}

TEST_F(ReadinessTest, IsOkWhenEverythingWorks) {
  Dependency files = dependency("files");
  files.driver = "localfs";
  files.was_opened = true;
  readiness.add(std::move(files));
  EXPECT_EQ(body_of(ask(), 200),
            R"({"statusCode":200,"status":"ok","dependencies":{"files":{"driver":"localfs",)"
            R"("ok":true,"since":"2026-01-01T01:00:00.000Z"}}})");
}

TEST_F(ReadinessTest, IsUnavailableWithoutWhatRequestsNeedAndTellsNoPlace) {
  readiness.add(dependency("context"));
  answer = Error(ErrorKind::unavailable, "x", "connection refused at 10.0.0.1");
  EXPECT_EQ(body_of(ask(), 503),
            R"({"statusCode":503,"status":"unavailable","dependencies":{"context":{"ok":null,)"
            R"("since":"2026-01-01T01:00:00.000Z",)"
            R"("reason":"Nothing is known about it yet; ask again."}}})");
  EXPECT_EQ(body_of(ask(), 503),
            R"({"statusCode":503,"status":"unavailable","dependencies":{"context":{"ok":false,)"
            R"("since":"2026-01-01T01:00:00.000Z","reason":"It is out."}}})");
}

TEST_F(ReadinessTest, IsDegradedWithoutWhatEveryProcessLacks) {
  Dependency platform = dependency("platform");
  platform.is_needed = false;
  readiness.add(std::move(platform));
  EXPECT_NE(body_of(ask(), 200).find(R"("status":"ok")"), std::string::npos);  // not known yet
  answer = Error(ErrorKind::unavailable, "x", "y");
  clock.advance(seconds(11));
  ask();
  EXPECT_NE(body_of(ask(), 200).find(R"("status":"degraded")"), std::string::npos);
}

TEST_F(ReadinessTest, SaysThatAVolumeIsFull) {
  readiness.add(dependency("files"));
  answer = Error(ErrorKind::no_space, "ENOSPC", "full");
  ask();
  EXPECT_EQ(readiness.known().front().reason, "It has no room left.");
}

TEST_F(ReadinessTest, IsAMetricAsFarAsItIsKnown) {
  readiness.add(dependency("files"));
  readiness.add(dependency("context"));
  std::string text;
  append_readiness(text, readiness.known());
  EXPECT_EQ(text.find("dependency=\"files\""), std::string::npos);
  ask();
  text.clear();
  append_readiness(text, readiness.known());
  EXPECT_NE(text.find("flowstore_dependency_up{dependency=\"files\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace flowstore::api
