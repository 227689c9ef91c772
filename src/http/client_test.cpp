#include "http/client.h"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "support/fake_platform.h"
#include "support/run.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;

// No test waits this long; it is the limit at which one fails.
constexpr milliseconds patience(20'000);

ClientRequest request_to(std::string url) {
  ClientRequest request;
  request.url = std::move(url);
  request.timeout = patience;
  request.connect_timeout = patience;
  return request;
}

Result<ClientResponse> get(Client& client, ClientRequest request) {
  return run(client.get(std::move(request)));
}

FakePlatform::Answer redirect_to(const std::string& url) {
  FakePlatform::Answer answer(302, "elsewhere");
  answer.headers = "Location: " + url + "\r\n";
  return answer;
}

TEST(Client, BringsBackStatusAndBodyWhateverTheyAre) {
  FakePlatform platform;
  Client client;
  platform.answer(FakePlatform::Answer(418, "short and stout"));
  const auto response = get(client, request_to(platform.url() + "/tea?x=%20y"));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->body, "short and stout");
  EXPECT_EQ(platform.last_request(), "GET /tea?x=%20y");
}

TEST(Client, SendsTheHeadersOfTheRequest) {
  FakePlatform platform;
  Client client;
  ClientRequest request = request_to(platform.url());
  request.headers = {{"user-agent", "me"}, {"ff-quota", "true"}};
  ASSERT_TRUE(get(client, std::move(request)));
  EXPECT_EQ(platform.last_header("User-Agent"), "me");
  EXPECT_EQ(platform.last_header("ff-quota"), "true");
  EXPECT_NE(platform.last_header("accept-encoding").value_or("").find("gzip"), std::string::npos);
}

TEST(Client, SendsNoHeaderThatCarriesAnother) {
  FakePlatform platform;
  Client client;
  ClientRequest request = request_to(platform.url());
  request.headers = {{"authorization", "Bearer x\r\nff-admin: true"}};
  EXPECT_FALSE(get(client, std::move(request)));
  EXPECT_EQ(platform.calls(), 0);
}

TEST(Client, KeepsConnectionsOpen) {
  FakePlatform platform;
  Client client;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(get(client, request_to(platform.url())));
  EXPECT_EQ(platform.calls(), 5);
  EXPECT_EQ(platform.connections(), 1);
}

TEST(Client, UnpacksACompressedAnswer) {
  FakePlatform platform;
  Client client;
  // gzip of "{}".
  const unsigned char packed[] = {0x1f, 0x8b, 8, 0,    0,    0,    0,    0, 0, 3, 0xab,
                                  0xae, 5,    0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0};
  FakePlatform::Answer answer(200, std::string(std::begin(packed), std::end(packed)));
  answer.headers = "Content-Encoding: gzip\r\n";
  platform.answer(answer);
  const auto response = get(client, request_to(platform.url()));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, "{}");
}

TEST(Client, ReportsRetryAfter) {
  FakePlatform platform;
  Client client;
  FakePlatform::Answer answer(503);
  answer.headers = "retry-after: 7\r\n";
  platform.answer(answer);
  EXPECT_EQ(get(client, request_to(platform.url()))->retry_after, "7");
  platform.answer(FakePlatform::Answer(503));
  EXPECT_EQ(get(client, request_to(platform.url()))->retry_after, "");
}

TEST(Client, TakesNoAnswerThatIsTooLong) {
  FakePlatform platform;
  Client client;
  ClientRequest request = request_to(platform.url());
  request.max_body_bytes = 10;
  platform.answer(FakePlatform::Answer(200, "0123456789"));
  EXPECT_TRUE(get(client, request));
  platform.answer(FakePlatform::Answer(200, "0123456789a"));
  const auto response = get(client, request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message(), "the answer is longer than 10 bytes");
}

TEST(Client, SaysWhyThereIsNoAnswer) {
  std::string url;
  {
    FakePlatform platform;
    url = platform.url();
  }
  Client client;
  const auto response = get(client, request_to(url));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::unavailable);
  EXPECT_NE(response.error().message().find("onnect"), std::string::npos)
      << response.error().message();
}

TEST(Client, ReportsAConnectionThatIsClosedWithoutAnAnswer) {
  FakePlatform platform;
  Client client;
  FakePlatform::Answer answer;
  answer.drop = true;
  platform.answer(answer);
  EXPECT_FALSE(get(client, request_to(platform.url())));
}

TEST(Client, GivesUpWhenTheTimeIsOver) {
  FakePlatform platform;
  Client client;
  FakePlatform::Answer slow;
  slow.delay = patience;
  platform.answer(slow);
  ClientRequest request = request_to(platform.url());
  request.timeout = milliseconds(50);
  const auto response = get(client, std::move(request));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::unavailable);
}

TEST(Client, FollowsRedirectsWithTheirCredentialsOnTheSameHost) {
  FakePlatform platform;
  Client client;
  ClientRequest request = request_to(platform.url() + "/old");
  request.headers = {{"authorization", "Bearer secret"}};
  platform.answer_once(redirect_to("/new"));
  const auto response = get(client, std::move(request));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, "{}");
  EXPECT_EQ(platform.last_request(), "GET /new");
  EXPECT_EQ(platform.last_header("authorization"), "Bearer secret");
}

TEST(Client, HandsNoCredentialsToAnotherHost) {
  FakePlatform platform;
  FakePlatform stranger;  // another port is another host
  Client client;
  ClientRequest request = request_to(platform.url());
  request.headers = {{"authorization", "Bearer secret"}, {"ff-quota", "true"}};
  platform.answer_once(redirect_to(stranger.url() + "/new"));
  ASSERT_TRUE(get(client, std::move(request)));
  EXPECT_EQ(stranger.calls(), 1);
  EXPECT_EQ(stranger.last_header("authorization"), std::nullopt);
  EXPECT_EQ(stranger.last_header("ff-quota"), "true");
}

TEST(Client, FollowsFiveRedirectsAndNoMore) {
  FakePlatform platform;
  Client client;
  for (int i = 0; i < 5; ++i) platform.answer_once(redirect_to("/again"));
  EXPECT_TRUE(get(client, request_to(platform.url())));
  platform.answer(redirect_to("/again"));
  EXPECT_FALSE(get(client, request_to(platform.url())));
  EXPECT_EQ(platform.calls(), 12);
}

TEST(Client, FollowsRedirectsToTheWebOnly) {
  FakePlatform platform;
  Client client;
  for (const std::string target : {"file:///etc/passwd", "ftp://127.0.0.1/x"}) {
    platform.answer(redirect_to(target));
    EXPECT_FALSE(get(client, request_to(platform.url()))) << target;
  }
  EXPECT_FALSE(get(client, request_to("file:///etc/passwd")));
}

TEST(Client, LeavesARedirectAloneIfTold) {
  FakePlatform platform;
  Client client;
  platform.answer(redirect_to("/new"));
  ClientRequest request = request_to(platform.url());
  request.follow_redirects = false;
  EXPECT_EQ(get(client, std::move(request))->status, 302);
}

Task<> count_answers(Client& client, std::string url, std::atomic<int>& answers) {
  const auto loop = std::this_thread::get_id();
  for (int i = 0; i < 10; ++i) {
    const auto response = co_await client.get(request_to(url));
    EXPECT_EQ(std::this_thread::get_id(), loop);
    if (response) ++answers;
  }
}

// Runs `per_loop` tasks on each of `loops` threads and returns how many answers came.
int answers_to_many(Client& client, const std::string& url, int loops, int per_loop) {
  std::atomic<int> answers = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < loops; ++i) {
    threads.emplace_back([&] {
      boost::asio::io_context loop;
      for (int j = 0; j < per_loop; ++j) {
        spawn(loop.get_executor(), "test", count_answers(client, url, answers));
      }
      loop.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return answers;
}

TEST(Client, AnswersEveryLoopOnItsOwnThread) {
  FakePlatform platform;
  Client client;
  EXPECT_EQ(answers_to_many(client, platform.url(), 3, 4), 120);
}

TEST(Client, LetsRequestsBeyondItsLimitWaitInLine) {
  FakePlatform platform;
  Client client(2);
  EXPECT_EQ(answers_to_many(client, platform.url(), 2, 6), 120);
  EXPECT_LE(platform.most_at_once(), 2);
}

TEST(Client, CountsTheWaitInLineAsTimeOfTheRequest) {
  FakePlatform platform;
  Client client(1);
  FakePlatform::Answer slow;
  slow.delay = patience;
  platform.answer(slow);
  boost::asio::io_context loop;
  int failures = 0;
  auto impatient = [&]() -> Task<> {
    ClientRequest request = request_to(platform.url());
    request.timeout = milliseconds(100);
    const auto response = co_await client.get(std::move(request));
    if (!response) ++failures;
  };
  for (int i = 0; i < 3; ++i) spawn(loop.get_executor(), "test", impatient());
  loop.run();
  EXPECT_EQ(failures, 3);
  EXPECT_EQ(platform.calls(), 1);
}

TEST(Client, AnswersThoseWhoStillWaitWhenItIsDestroyed) {
  FakePlatform platform;
  FakePlatform::Answer slow;
  slow.delay = patience;
  platform.answer(slow);
  std::optional<Client> client(1);
  boost::asio::io_context loop;
  int failures = 0;
  auto wait = [&]() -> Task<> {
    const auto response = co_await client->get(request_to(platform.url()));
    if (!response && response.error().kind() == ErrorKind::unavailable) ++failures;
  };
  for (int i = 0; i < 2; ++i) spawn(loop.get_executor(), "test", wait());
  loop.poll();
  client.reset();
  loop.run();
  EXPECT_EQ(failures, 2);
}

}  // namespace
}  // namespace flowstore::http
