#include "auth/platform_verifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "auth/platform_answer.h"

namespace flowstore::auth {
namespace {

using std::chrono::milliseconds;

constexpr int kMaxTries = 3;

// With less time left than this another try is not worth its trouble.
constexpr milliseconds kShortestTry(20);

// A machine that does not take the connection will not take it later: then rather try again, which
// may reach another one.
constexpr milliseconds kConnectTimeout(500);

constexpr std::string_view kHelp = "Token checks by the platform, by what it said.";

// What a header can carry without changing its meaning. No token of the platform is anything else.
bool is_sendable(std::string_view token) {
  const auto is_visible = [](char c) { return c > 0x20 && c < 0x7f; };
  return !token.empty() && std::all_of(token.begin(), token.end(), is_visible);
}

// These would be another path: /account/check/ for "..", whatever the encoding.
bool is_dot_segment(std::string_view project) { return project == "." || project == ".."; }

std::string check_url(std::string_view base_url) {
  if (base_url.ends_with('/')) base_url.remove_suffix(1);
  return std::string(base_url) + "/account/check/project/";
}

// Up to the last, a try gets two thirds of what is left: a platform that takes a second is waited
// for, and a connection that hangs is not waited for to the end.
milliseconds time_for(int tries, milliseconds left) {
  return tries < kMaxTries ? left * 2 / 3 : left;
}

// 30 ms, then 60, half as much up to half as much again: those who failed together do not come back
// together. The nanoseconds of the clock are random enough for that.
milliseconds pause_after(int tries, Clock::Instant now) {
  const milliseconds pause = milliseconds(15) * (1 << tries);
  return pause / 2 + pause * (now.time_since_epoch().count() % 1000) / 1000;
}

// What one try has brought.
struct Outcome {
  Outcome() = default;

  Meaning meaning = Meaning::try_again;
  Grant grant;
  milliseconds pause{0};  // that the platform asks for
  std::string reason;     // why it says nothing about the token
};

Outcome outcome_of(const Result<http::Answer>& response) {
  Outcome outcome;
  if (!response) {
    outcome.reason = response.error().message();
    return outcome;
  }
  PlatformAnswer answer = read_platform_answer(response->status, response->body);
  outcome.meaning = answer.meaning;
  outcome.grant = std::move(answer.grant);
  outcome.reason = "status " + std::to_string(response->status);
  if (response->retry_after.empty()) return outcome;
  if (const auto pause = parse_retry_after(response->retry_after)) {
    outcome.pause = *pause;
  } else if (outcome.meaning == Meaning::try_again) {
    outcome.meaning = Meaning::broken;  // until a date: no question lives that long
  }
  return outcome;
}

Task<> sleep(milliseconds duration) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace

std::string encode_uri_component(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte / 16];
    encoded += kDigits[byte % 16];
  }
  return encoded;
}

PlatformVerifier::PlatformVerifier(http::Connector& connector, std::string_view base_url,
                                   milliseconds budget, const Clock& clock, Log& log,
                                   metrics::Registry& registry)
    : connector_(connector),
      check_url_(check_url(base_url)),
      budget_(budget),
      clock_(clock),
      outage_log_(clock, log,
                  "The FlowFuse platform does not answer; tokens that it accepted before go on "
                  "working for a while. Check base_url and the network.",
                  "The FlowFuse platform answers again."),
      duration_(
          registry.histogram("flowstore_platform_check_duration_seconds",
                             "Time of one token check by the platform, with all its tries.",
                             {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5})),
      granted_(registry.counter("flowstore_platform_checks_total", kHelp, {{"result", "valid"}})),
      refused_(registry.counter("flowstore_platform_checks_total", kHelp, {{"result", "refused"}})),
      unavailable_(registry.counter("flowstore_platform_checks_total", kHelp,
                                    {{"result", "unavailable"}})) {}

Task<Result<Grant>> PlatformVerifier::verify(std::string_view project, std::string_view token) {
  if (!is_sendable(token) || is_dot_segment(project)) co_return token_refused();
  const auto started = clock_.now();
  http::Question question = question_about(project);
  question.headers.emplace_back("authorization", "Bearer " + std::string(token));
  const Result<Grant> grant = co_await ask(std::move(question));
  duration_.observe(std::chrono::duration<double>(clock_.now() - started).count());
  if (grant) {
    granted_.add();
  } else {
    (grant.error().kind() == ErrorKind::unauthorized ? refused_ : unavailable_).add();
  }
  co_return grant;
}

Task<Status> PlatformVerifier::probe() {
  http::Question question = question_about("flowstore-ready");
  question.timeout = budget_;
  const auto response = co_await http::ask(connector_, question);
  const Outcome outcome = outcome_of(response);
  if (outcome.meaning == Meaning::refused || outcome.meaning == Meaning::granted) {
    outage_log_.answered();
    co_return Status();
  }
  outage_log_.failed(outcome.reason);
  co_return token_unchecked();
}

http::Question PlatformVerifier::question_about(std::string_view project) const {
  http::Question question;
  question.url = check_url_ + encode_uri_component(project);
  question.headers.emplace_back("user-agent", "FlowFuse Storage Server");
  question.headers.emplace_back("ff-quota", "true");
  question.connect_timeout = kConnectTimeout;
  question.follows_redirects = true;
  return question;
}

// The only loop over failures of the platform.
Task<Result<Grant>> PlatformVerifier::ask(http::Question question) {
  const auto deadline = clock_.now() + budget_;
  const auto left = [&] { return std::chrono::floor<milliseconds>(deadline - clock_.now()); };
  for (int tries = 1;; ++tries) {
    question.timeout = time_for(tries, left());
    // A connection that goes nowhere looks like a platform that is slow, and so may all others that
    // were kept.
    question.on_new_connection = tries > 1;
    const auto response = co_await http::ask(connector_, question);
    Outcome outcome = outcome_of(response);
    if (outcome.meaning == Meaning::granted || outcome.meaning == Meaning::refused) {
      outage_log_.answered();
      if (outcome.meaning == Meaning::refused) co_return token_refused();
      co_return std::move(outcome.grant);
    }
    const auto pause = std::max(outcome.pause, pause_after(tries, clock_.now()));
    if (outcome.meaning == Meaning::broken || tries == kMaxTries || pause + kShortestTry > left()) {
      outage_log_.failed(outcome.reason);
      co_return token_unchecked();
    }
    co_await sleep(pause);
  }
}

}  // namespace flowstore::auth
