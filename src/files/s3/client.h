// Client: requests to the bucket, signed and repeated where that helps.

#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "aws/signer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/log_pace.h"
#include "base/outage_log.h"
#include "base/result.h"
#include "base/task.h"
#include "files/s3/address.h"
#include "files/s3/answer.h"
#include "files/s3/breaker.h"
#include "files/s3/options.h"
#include "http/connector.h"
#include "metrics/registry.h"

namespace flowstore::files::s3 {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

// What may happen to a request without an answer.
enum class Repeat : std::uint8_t {
  freely,    // doing it twice does no harm
  not_done,  // again only if the first one surely did nothing; else outcome_unknown
};

// One request. Views must outlive the call.
struct Call {
  Call() = default;
  Call(std::string verb, std::string_view object) : method(std::move(verb)), key(object) {}

  std::string method;
  std::string_view key;  // empty: the bucket
  std::vector<std::pair<std::string, std::string>> query;
  aws::Headers headers;  // lower-case names
  std::string_view body;
  // A body that cannot be had twice, of a known size, instead: such a call is made once.
  ByteSource* source = nullptr;
  Repeat repeat = Repeat::freely;
  // No try goes on without any progress for so long.
  std::chrono::milliseconds try_timeout{1000};
  // The end of all tries, and of the answer's body; if none is given, options.patience from now.
  Deadline deadline;
};

// Safe to use from any thread.
class Client {
 public:
  // References must outlive the client.
  Client(Address address, const Options& options, http::Connector& connector,
         aws::CredentialsProvider& credentials, const Clock& clock, Log& log,
         metrics::Registry& registry);

  // An answer of any status is a value, but for those that mean "not now": after a few tries, or at
  // the deadline, they are unavailable.
  Task<Result<Answer>> call(const Call& call);

  // What an answer means that is not what `call` was made for. What the store does not let us do,
  // or has no room for, is logged with its reason.
  Error refused(const Call& call, const Answer& answer);

  // When what begins now should have ended.
  std::chrono::steady_clock::time_point deadline() const {
    return std::chrono::steady_clock::now() + patience_;
  }

  const Address& address() const noexcept { return address_; }
  const std::string& bucket() const noexcept { return bucket_; }
  const OutageLog& outage() const noexcept { return outage_log_; }

 private:
  enum class Verdict : std::uint8_t { done, again_at_once, again_later, unknown };

  Task<Result<Answer>> try_once(const Call& call, const std::string& payload_hash,
                                std::chrono::steady_clock::time_point deadline);
  Verdict judge(const Call& call, const Result<Answer>& answer);
  bool learn_clock_of(const Answer& answer);
  void note(const Result<Answer>& answer);

  const Address address_;
  const std::string bucket_;
  const std::chrono::milliseconds patience_;
  aws::Signer signer_;
  http::Connector& connector_;
  aws::CredentialsProvider& credentials_;
  const Clock& clock_;
  Log& log_;
  Breaker breaker_;
  OutageLog outage_log_;
  LogPace refusals_logged_;
  // Seconds by which the store's clock is ahead of ours, since it refused a signature for that.
  std::atomic<std::int64_t> clock_ahead_{0};
  metrics::Counter& requests_;
  metrics::Counter& repeats_;
  metrics::Counter& failures_;
};

// The rest of a small answer's body. unavailable if it breaks off or is longer than 8 MiB.
Task<Result<std::string>> read_text(Answer& answer);

}  // namespace flowstore::files::s3
