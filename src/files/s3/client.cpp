#include "files/s3/client.h"

#include <algorithm>

#include "base/digest.h"
#include "base/pause.h"
#include "files/s3/xml.h"
#include "http/ask.h"
#include "http/date.h"

namespace flowstore::files::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMostTries = 6;
// Between the tries, doubled each time; with jitter, so that many processes do not come at once.
constexpr milliseconds kShortestPause{20};
constexpr milliseconds kLongestPause{400};
// A store that needs longer to take a connection cannot serve anybody in time either.
constexpr milliseconds kConnectTime{700};
// Of an answer that is an error, or one that is XML.
constexpr std::size_t kMostErrorBytes = 64U << 10;
constexpr std::size_t kMostTextBytes = 8U << 20;
// Beyond it AWS refuses a signature; a store's own clock is good enough not to look at less.
constexpr std::chrono::minutes kSkew{4};
constexpr const char* kUnsigned = "UNSIGNED-PAYLOAD";

bool wants_new_credentials(std::string_view code) {
  return code == "ExpiredToken" || code == "ExpiredTokenException" || code == "InvalidToken" ||
         code == "TokenRefreshRequired";
}

// The body did not arrive as it was sent.
bool was_damaged(std::string_view code) {
  return code == "XAmzContentSHA256Mismatch" || code == "BadDigest" ||
         code == "XAmzContentChecksumMismatch" || code == "IncompleteBody" ||
         code == "RequestTimeout";
}

// Also where it says SlowDown: somebody between us and the store may have said it too late.
bool is_temporary(const Answer& answer) {
  return answer.status == 500 || answer.status == 502 || answer.status == 503 ||
         answer.status == 504 || answer.status == 429 || answer.status == 408;
}

}  // namespace

Client::Client(Address address, const Options& options, http::Connector& connector,
               aws::CredentialsProvider& credentials, const Clock& clock, Log& log,
               metrics::Registry& registry)
    : address_(std::move(address)),
      bucket_(options.bucket),
      patience_(options.patience),
      signer_(options.region),
      connector_(connector),
      credentials_(credentials),
      clock_(clock),
      log_(log),
      breaker_(clock),
      outage_log_(clock, log,
                  "The S3 store at " + address_.host +
                      " cannot be used; file requests are answered with 503 until it can.",
                  "The S3 store at " + address_.host + " can be used again."),
      refusals_logged_(clock),
      requests_(registry.counter("flowstore_s3_requests_total", "Requests sent to the S3 store.")),
      repeats_(registry.counter("flowstore_s3_retries_total",
                                "Requests to the S3 store that were sent again.")),
      failures_(registry.counter("flowstore_s3_failures_total",
                                 "Calls of the S3 store that had no good end, after all tries.")) {}

Task<Result<Answer>> Client::call(const Call& call) {
  const auto limit = call.deadline.value_or(deadline());
  const std::string payload_hash = call.source != nullptr ? kUnsigned : hex(sha256(call.body));
  bool was_refreshed = false;
  std::string reason;  // of the latest try
  // What others have left no time for says nothing of the store.
  if (steady_clock::now() >= limit) co_return store_is_down();
  for (int tries = 1;; ++tries) {
    if (!breaker_.lets_through()) {
      // Others have used the tries up that would have been ours.
      if (!reason.empty()) outage_log_.failed(reason);
      co_return store_is_down();
    }
    auto answer = co_await try_once(call, payload_hash, limit);
    note(answer);
    const Verdict verdict = judge(call, answer);
    if (verdict == Verdict::done) co_return answer;
    if (verdict == Verdict::unknown) co_return outcome_unknown();
    reason = answer ? words_of(*answer) : answer.error().message();
    const bool is_last = tries == kMostTries || call.source != nullptr ||
                         (verdict == Verdict::again_at_once && was_refreshed);
    const auto pause = jittered(std::min(kLongestPause, kShortestPause * (1 << (tries - 1))));
    if (is_last || steady_clock::now() + pause >= limit) {
      failures_.add();
      if (answer && verdict == Verdict::again_at_once) co_return answer;
      outage_log_.failed(reason);
      co_return store_is_down();
    }
    repeats_.add();
    if (verdict == Verdict::again_at_once) {
      was_refreshed = true;
      continue;
    }
    co_await sleep_for(pause);
  }
}

Task<Result<Answer>> Client::try_once(const Call& call, const std::string& payload_hash,
                                      steady_clock::time_point deadline) {
  FLOWSTORE_CO_TRY(const auto credentials, co_await credentials_.get());
  aws::UnsignedRequest request;
  request.method = call.method;
  request.path = address_.path_of(call.key);
  request.query = call.query;
  request.headers = call.headers;
  request.headers.emplace_back("host", address_.host);
  request.payload_hash = payload_hash;

  http::OutgoingRequest outgoing;
  outgoing.method = call.method;
  outgoing.target = request.path;
  if (!call.query.empty()) outgoing.target += "?" + aws::canonical_query(call.query);
  const std::chrono::seconds ahead(clock_ahead_.load(std::memory_order_relaxed));
  outgoing.headers = signer_.sign(request, *credentials, clock_.wall() + ahead);
  outgoing.body = call.body;
  outgoing.source = call.source;
  outgoing.connect_timeout = kConnectTime;
  outgoing.timeout = call.try_timeout;
  outgoing.deadline = deadline;
  requests_.add();
  FLOWSTORE_CO_TRY(auto reply, co_await connector_.send(address_.origin, std::move(outgoing)));

  Answer answer;
  answer.status = reply->status();
  answer.reply = std::move(reply);
  answer.reply->end_by(deadline);
  if (answer.is_good()) co_return answer;
  FLOWSTORE_CO_TRY(const auto text, co_await http::read_at_most(*answer.reply, kMostErrorBytes));
  read_error(text, answer);
  if (wants_new_credentials(answer.code)) credentials_.refused(*credentials);
  co_return answer;
}

Client::Verdict Client::judge(const Call& call, const Result<Answer>& answer) {
  const bool may_repeat = call.repeat == Repeat::freely;
  if (!answer) {
    // What the body's own source says is no word of the store's.
    if (answer.error().kind() != ErrorKind::unavailable) return Verdict::done;
    const bool was_not_sent = answer.error().code() == http::kNotSent;
    const bool is_ours = answer.error().code() != http::kNoAnswer &&
                         answer.error().code() != http::kCutShort && !was_not_sent;
    return may_repeat || was_not_sent || is_ours ? Verdict::again_later : Verdict::unknown;
  }
  if (answer->status < 400) return Verdict::done;
  if (answer->status == 403 || wants_new_credentials(answer->code)) {
    const bool is_skewed = learn_clock_of(*answer);
    return is_skewed || wants_new_credentials(answer->code) ? Verdict::again_at_once
                                                            : Verdict::done;
  }
  if (was_damaged(answer->code)) return Verdict::again_later;
  if (!is_temporary(*answer)) return Verdict::done;
  return may_repeat ? Verdict::again_later : Verdict::unknown;
}

bool Client::learn_clock_of(const Answer& answer) {
  const auto theirs = http::parse_date(answer.header("date"));
  if (!theirs) return false;
  const std::chrono::seconds known(clock_ahead_.load(std::memory_order_relaxed));
  const auto ahead = std::chrono::duration_cast<std::chrono::seconds>(*theirs - clock_.wall());
  if (std::chrono::abs(ahead - known) < kSkew) return false;
  clock_ahead_.store(ahead.count(), std::memory_order_relaxed);
  LogFields fields;
  fields.number("seconds", ahead.count());
  log_.warn("This machine's clock differs from the S3 store's; set it right, for instance by NTP.",
            fields);
  return true;
}

// A refusal is a sign of life.
void Client::note(const Result<Answer>& answer) {
  if (answer && !is_temporary(*answer)) {
    breaker_.succeeded();
    outage_log_.answered();
  } else if (answer || answer.error().kind() == ErrorKind::unavailable) {
    breaker_.failed();
  }
}

Error Client::refused(const Call& call, const Answer& answer) {
  Error error = translate(answer);
  const bool is_for_operators =
      error.kind() == ErrorKind::internal || error.kind() == ErrorKind::no_space;
  if (!is_for_operators || !refusals_logged_.lets_through()) return error;
  LogFields fields;
  fields.text("method", call.method).text("key", call.key).text("reason", words_of(answer));
  log_.error("The S3 store refused a request.", fields);
  return error;
}

Task<Result<std::string>> read_text(Answer& answer) {
  auto text = co_await http::read_at_most(*answer.reply, kMostTextBytes);
  if (!text) co_return store_is_down();
  co_return text;
}

}  // namespace flowstore::files::s3
