#include "http/ask.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "http/header_words.h"
#include "http/url.h"

namespace flowstore::http {
namespace {

using std::chrono::steady_clock;

constexpr int kMostRedirects = 5;

Error no_answer(std::string why) {
  return {ErrorKind::unavailable, std::string(kNoAnswer), std::move(why)};
}

bool leads_elsewhere(const Question& question, const Reply& reply) {
  constexpr int kRedirects[] = {301, 302, 303, 307, 308};
  return question.follows_redirects && question.method == "GET" &&
         !reply.header("location").empty() &&
         std::count(std::begin(kRedirects), std::end(kRedirects), reply.status()) > 0;
}

void drop_credentials(Question& question) {
  std::erase_if(question.headers, [](const auto& header) {
    return equals_ignoring_case(header.first, "authorization") ||
           equals_ignoring_case(header.first, "cookie");
  });
}

OutgoingRequest request_for(const Question& question, const Url& url, Instant deadline) {
  OutgoingRequest request;
  request.method = question.method;
  request.target = url.target;
  request.headers.emplace_back("host", host_header(url.origin));
  // Small answers gain nothing from being packed, and would have to be unpacked with a bound.
  request.headers.emplace_back("accept-encoding", "identity");
  request.headers.insert(request.headers.end(), question.headers.begin(), question.headers.end());
  request.body = question.body;
  request.connect_timeout = question.connect_timeout;
  request.timeout = question.timeout;
  request.deadline = deadline;
  request.waits_in_line = true;
  request.on_new_connection = question.on_new_connection;
  return request;
}

bool is_packed(const Reply& reply) {
  const std::string_view encoding = reply.header("content-encoding");
  return !encoding.empty() && !equals_ignoring_case(encoding, "identity");
}

Task<Result<Answer>> read_answer(Reply& reply, std::size_t most) {
  Answer answer;
  answer.status = reply.status();
  answer.retry_after = reply.header("retry-after");
  answer.date = reply.header("date");
  if (is_packed(reply)) co_return no_answer("the answer is packed, which was not asked for");
  FLOWSTORE_CO_TRY(answer.body, co_await read_at_most(reply, most));
  co_return answer;
}

}  // namespace

Task<Result<Answer>> ask(Connector& connector, Question question) {
  const Instant deadline = steady_clock::now() + question.timeout;
  auto url = parse_url(question.url);
  if (!url) co_return no_answer("the URL is none of http or https");
  for (int redirects = 0;; ++redirects) {
    auto request = request_for(question, *url, deadline);
    // Ends with the turn of the loop: the next one needs its place.
    FLOWSTORE_CO_TRY(const auto reply, co_await connector.send(url->origin, std::move(request)));
    reply->end_by(deadline);
    if (!leads_elsewhere(question, *reply)) {
      co_return co_await read_answer(*reply, question.max_body_bytes);
    }
    if (redirects == kMostRedirects) co_return no_answer("it redirects too often");
    auto next = resolve(*url, reply->header("location"));
    if (!next) co_return no_answer("it redirects to what is no URL of http or https");
    if (next->origin != url->origin) drop_credentials(question);
    url = std::move(next);
  }
}

Task<Result<std::string>> read_at_most(Reply& reply, std::size_t most) {
  std::string text;
  while (true) {
    const auto piece = co_await reply.next();
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return text;
    if (piece->size() > most - text.size()) {
      co_return Error(ErrorKind::unavailable, std::string(kCutShort),
                      "the answer is longer than " + std::to_string(most) + " bytes");
    }
    text.append(*piece);
  }
}

}  // namespace flowstore::http
