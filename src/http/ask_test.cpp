#include "http/ask.h"

#include <atomic>
#include <memory>
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

Question question_to(std::string url) {
  Question question("GET", std::move(url));
  question.timeout = patience;
  question.connect_timeout = patience;
  question.follows_redirects = true;
  return question;
}

ConnectorOptions at_most(std::size_t connections) {
  ConnectorOptions options;
  options.max_connections = connections;
  return options;
}

class AskTest : public testing::Test {
 protected:
  Result<Answer> get(Question question) { return run(ask(connector_, std::move(question))); }
  Result<Answer> get() { return get(question_to(platform_.url())); }

  FakePlatform platform_;
  const Trust trust_{nullptr};
  Connector connector_{trust_, at_most(64)};
};

FakePlatform::Answer redirect_to(const std::string& url) {
  FakePlatform::Answer answer(302, "elsewhere");
  answer.headers = "Location: " + url + "\r\n";
  return answer;
}

TEST_F(AskTest, BringsBackStatusAndBodyWhateverTheyAre) {
  platform_.answer(FakePlatform::Answer(418, "short and stout"));
  const auto response = get(question_to(platform_.url() + "/tea?x=%20y"));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->body, "short and stout");
  EXPECT_EQ(platform_.last_request(), "GET /tea?x=%20y");
}

TEST_F(AskTest, SendsTheHeadersOfTheRequest) {
  Question question = question_to(platform_.url());
  question.headers = {{"user-agent", "me"}, {"ff-quota", "true"}};
  ASSERT_TRUE(get(std::move(question)));
  EXPECT_EQ(platform_.last_header("User-Agent"), "me");
  EXPECT_EQ(platform_.last_header("ff-quota"), "true");
  EXPECT_EQ(platform_.last_header("host"), "127.0.0.1:" + std::to_string(platform_.port()));
}

TEST_F(AskTest, SendsNoHeaderThatCarriesAnother) {
  Question question = question_to(platform_.url());
  question.headers = {{"authorization", "Bearer x\r\nff-admin: true"}};
  EXPECT_FALSE(get(std::move(question)));
  EXPECT_EQ(platform_.calls(), 0);
}

TEST_F(AskTest, KeepsConnectionsOpen) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(get());
  EXPECT_EQ(platform_.calls(), 5);
  EXPECT_EQ(platform_.connections(), 1);
}

// It would look like an answer that says something else.
TEST_F(AskTest, AsksForPlainAnswersAndTakesNoPackedOne) {
  FakePlatform::Answer answer(200, "\x1f\x8b");
  answer.headers = "Content-Encoding: gzip\r\n";
  platform_.answer(answer);
  const auto response = get();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(platform_.last_header("accept-encoding"), "identity");
  answer = FakePlatform::Answer(200, "plain");
  answer.headers = "Content-Encoding: Identity\r\n";
  platform_.answer(answer);
  EXPECT_EQ(get()->body, "plain");
}

TEST_F(AskTest, ReportsRetryAfter) {
  FakePlatform::Answer answer(503);
  answer.headers = "retry-after: 7\r\n";
  platform_.answer(answer);
  EXPECT_EQ(get()->retry_after, "7");
  platform_.answer(FakePlatform::Answer(503));
  EXPECT_EQ(get()->retry_after, "");
}

TEST_F(AskTest, TakesNoAnswerThatIsTooLong) {
  Question question = question_to(platform_.url());
  question.max_body_bytes = 10;
  platform_.answer(FakePlatform::Answer(200, "0123456789"));
  EXPECT_TRUE(get(question));
  platform_.answer(FakePlatform::Answer(200, "0123456789a"));
  const auto response = get(question);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message(), "the answer is longer than 10 bytes");
}

TEST_F(AskTest, SaysWhyThereIsNoAnswer) {
  std::string url;
  {
    const FakePlatform gone;
    url = gone.url();
  }
  const auto response = get(question_to(url));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::unavailable);
  EXPECT_NE(response.error().message().find("onnect"), std::string::npos)
      << response.error().message();
}

TEST_F(AskTest, ReportsAConnectionThatIsClosedWithoutAnAnswer) {
  FakePlatform::Answer answer;
  answer.drop = true;
  platform_.answer(answer);
  EXPECT_FALSE(get());
}

TEST_F(AskTest, GivesUpWhenTheTimeIsOver) {
  FakePlatform::Answer slow;
  slow.delay = patience;
  platform_.answer(slow);
  Question question = question_to(platform_.url());
  question.timeout = milliseconds(50);
  const auto response = get(std::move(question));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::unavailable);
}

TEST_F(AskTest, FollowsRedirectsWithTheirCredentialsOnTheSameHost) {
  Question question = question_to(platform_.url() + "/old");
  question.headers = {{"authorization", "Bearer secret"}};
  platform_.answer_once(redirect_to("/new"));
  const auto response = get(std::move(question));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, "{}");
  EXPECT_EQ(platform_.last_request(), "GET /new");
  EXPECT_EQ(platform_.last_header("authorization"), "Bearer secret");
}

TEST_F(AskTest, HandsNoCredentialsToAnotherHost) {
  FakePlatform stranger;  // another port is another host
  Question question = question_to(platform_.url());
  question.headers = {{"authorization", "Bearer secret"}, {"ff-quota", "true"}};
  platform_.answer_once(redirect_to(stranger.url() + "/new"));
  ASSERT_TRUE(get(std::move(question)));
  EXPECT_EQ(stranger.calls(), 1);
  EXPECT_EQ(stranger.last_header("authorization"), std::nullopt);
  EXPECT_EQ(stranger.last_header("ff-quota"), "true");
}

TEST_F(AskTest, NamesNothingOfWhatWasSentInItsErrors) {
  Question question = question_to(platform_.url() + "/secret-path");
  question.headers = {{"authorization", "Bearer secret"}};
  question.timeout = milliseconds(50);
  FakePlatform::Answer dropped;
  dropped.drop = true;
  FakePlatform::Answer slow;
  slow.delay = patience;
  for (const auto& answer : {dropped, slow, redirect_to("ftp://secret"), redirect_to("/again")}) {
    platform_.answer(answer);
    const auto response = get(question);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().message().find("secret"), std::string::npos)
        << response.error().message();
  }
}

TEST_F(AskTest, FollowsFiveRedirectsAndNoMore) {
  for (int i = 0; i < 5; ++i) platform_.answer_once(redirect_to("/again"));
  EXPECT_TRUE(get());
  platform_.answer(redirect_to("/again"));
  EXPECT_FALSE(get());
  EXPECT_EQ(platform_.calls(), 12);
}

TEST_F(AskTest, FollowsRedirectsToTheWebOnly) {
  for (const std::string target : {"file:///etc/passwd", "ftp://127.0.0.1/x", "//"}) {
    platform_.answer(redirect_to(target));
    EXPECT_FALSE(get()) << target;
  }
  EXPECT_FALSE(get(question_to("file:///etc/passwd")));
}

TEST_F(AskTest, LeavesARedirectAloneUnlessTold) {
  platform_.answer(redirect_to("/new"));
  Question question = question_to(platform_.url());
  question.follows_redirects = false;
  EXPECT_EQ(get(std::move(question))->status, 302);
}

Task<> count_answers(Connector& connector, std::string url, std::atomic<int>& answers) {
  const auto loop = std::this_thread::get_id();
  for (int i = 0; i < 10; ++i) {
    auto question = question_to(url);
    const auto response = co_await ask(connector, std::move(question));
    EXPECT_EQ(std::this_thread::get_id(), loop);
    if (response) ++answers;
  }
}

// Runs `per_loop` tasks on each of `loops` threads and returns how many answers came.
int answers_to_many(Connector& connector, const std::string& url, int loops, int per_loop) {
  std::atomic<int> answers = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < loops; ++i) {
    threads.emplace_back([&] {
      boost::asio::io_context loop;
      for (int j = 0; j < per_loop; ++j) {
        spawn(loop.get_executor(), "test", count_answers(connector, url, answers));
      }
      loop.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return answers;
}

TEST_F(AskTest, AnswersEveryLoopOnItsOwnThread) {
  EXPECT_EQ(answers_to_many(connector_, platform_.url(), 3, 4), 120);
}

TEST_F(AskTest, LetsQuestionsBeyondTheLimitWaitInLine) {
  Connector narrow(trust_, at_most(2));
  EXPECT_EQ(answers_to_many(narrow, platform_.url(), 2, 6), 120);
  EXPECT_LE(platform_.most_at_once(), 2);
}

// One connection, and what wants it.
class AskInLine : public AskTest {
 protected:
  AskInLine() {
    FakePlatform::Answer never;
    never.delay = patience;
    platform_.answer_once(never);
  }

  void spawn_question(milliseconds timeout, milliseconds connect_timeout) {
    spawn(loop_->get_executor(), "test", put(timeout, connect_timeout));
  }
  void run_until_answered(int answers) {
    while (answered_ < answers) loop_->run_one();
  }

  std::unique_ptr<boost::asio::io_context> loop_ = std::make_unique<boost::asio::io_context>();
  Connector narrow_{trust_, at_most(1)};
  int answered_ = 0;
  int failed_ = 0;

 private:
  Task<> put(milliseconds timeout, milliseconds connect_timeout) {
    Question question = question_to(platform_.url());
    question.timeout = timeout;
    question.connect_timeout = connect_timeout;
    const auto response = co_await ask(narrow_, std::move(question));
    ++answered_;
    if (!response && response.error().kind() == ErrorKind::unavailable) ++failed_;
  }
};

TEST_F(AskInLine, CountsTheWaitAsTimeOfTheQuestion) {
  spawn_question(patience, patience);
  for (int i = 0; i < 2; ++i) spawn_question(milliseconds(50), patience);
  run_until_answered(2);
  EXPECT_EQ(failed_, 2);
  loop_.reset();
  EXPECT_LE(platform_.calls(), 1);
}

TEST_F(AskInLine, DoesNotCountTheWaitAsTimeToConnect) {
  spawn_question(milliseconds(200), patience);
  spawn_question(patience, milliseconds(50));
  run_until_answered(2);
  EXPECT_EQ(failed_, 1);
}

// As when the server is stopped in the midst of it all.
TEST_F(AskInLine, LetsTheLoopOfThoseWhoWaitEnd) {
  for (int i = 0; i < 3; ++i) spawn_question(patience, patience);
  while (platform_.calls() == 0) loop_->run_one_for(milliseconds(1));
  loop_.reset();
  EXPECT_EQ(narrow_.counts().in_use, 0U);
  EXPECT_TRUE(run(ask(narrow_, question_to(platform_.url()))));
}

}  // namespace
}  // namespace flowstore::http
