#include "auth/caching_verifier.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/this_coro.hpp>

namespace flowstore::auth {
namespace {

using std::chrono::seconds;

// After a question without an answer the next one comes no sooner; twice as late after each
// further failure, up to the maximum: ten thousand stale entries then ask a sick platform a
// thousand times a second, not ten thousand times.
constexpr seconds kMinPause(1);
constexpr seconds kMaxPause(10);

// A failure says that the platform is down now, for about as long. An entry whose last failure is
// older waits for a new answer before it is used beyond its time.
constexpr seconds kFailureIsNewsFor(5);

Clock::Duration pause_after(int failures) {
  const int doublings = std::min(failures - 1, 8);
  return std::min(kMaxPause, kMinPause * (1 << doublings));
}

// Between 60 and 80 % of the cache time. Spread by the key, which is as good as random, so that
// entries made together are not asked about together.
Clock::Duration refresh_after(Clock::Duration cache_time, const HashValue& key) {
  const auto per_mille = static_cast<int>(600 + (key.low >> 32) % 201);
  return cache_time * per_mille / 1000;
}

}  // namespace

CachingVerifier::CachingVerifier(TokenVerifier& inner, const CachingOptions& options,
                                 const Clock& clock, metrics::Registry& registry)
    : inner_(inner), options_(options), clock_(clock) {
  // In the order of Source.
  constexpr std::array<std::string_view, 5> kNames = {"hit", "miss", "stale", "negative", "joined"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    counters_[i] = &registry.counter("flowstore_auth_cache_requests_total",
                                     "Requests for which a token was checked, by where the answer "
                                     "came from.",
                                     {{"result", kNames[i]}});
  }
  const std::size_t granted = std::max<std::size_t>(1, options.max_entries / shards_.size());
  const std::size_t refused = std::max<std::size_t>(1, granted / 10);
  for (auto& shard : shards_) shard = std::make_unique<Shard>(granted, refused);
}

HashValue CachingVerifier::key_of(std::string_view project, std::string_view token) const noexcept {
  // The length first: otherwise "ab" + "c" would be "a" + "bc".
  const std::uint64_t length = project.size();
  SipHash hash(secret_);
  hash.add(std::string_view(reinterpret_cast<const char*>(&length), sizeof length));
  hash.add(project);
  hash.add(token);
  return hash.finish();
}

Task<Result<Grant>> CachingVerifier::verify(std::string_view project, std::string_view token) {
  const HashValue key = key_of(project, token);
  Lookup lookup = look_up(key);
  if (lookup.is_mine_to_ask) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    spawn(executor, "token check",
          ask(key, std::string(project), Secret(std::string(token)), lookup.question));
  }
  if (lookup.known) {
    count(lookup.source);
    co_return *std::move(lookup.known);
  }
  Question::Answer answer = co_await Question::wait(std::move(lookup.question));
  count(answer.is_stale ? Source::stale : lookup.source);
  co_return std::move(answer.grant);
}

std::optional<Result<Grant>> CachingVerifier::verify_now(std::string_view project,
                                                         std::string_view token) {
  const HashValue key = key_of(project, token);
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  Lookup lookup;
  if (!recall(shard, key, lookup)) return std::nullopt;
  count(lookup.source);
  return std::move(lookup.known);
}

CachingVerifier::Lookup CachingVerifier::look_up(const HashValue& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  Lookup lookup;
  if (!recall(shard, key, lookup)) join_question(shard, key, lookup);
  return lookup;
}

// What is remembered. False if somebody should be asked, be it for this request or for later ones.
bool CachingVerifier::recall(Shard& shard, const HashValue& key, Lookup& lookup) const {
  const auto now = clock_.now();
  if (const CacheEntry* entry = shard.granted.find(key)) {
    if (is_usable(*entry, now, lookup.source)) lookup.known = entry->grant;
    return lookup.known && now < entry->ask_at;
  }
  const CacheEntry* const refusal = shard.refused.find(key);
  if (refusal == nullptr || now >= refusal->fresh_until) return false;
  lookup.source = Source::negative;
  lookup.known = token_refused();
  return true;
}

// Whether the entry answers a request by itself.
bool CachingVerifier::is_usable(const CacheEntry& entry, Clock::Instant now, Source& source) const {
  source = now < entry.fresh_until ? Source::hit : Source::stale;
  if (source == Source::hit) return true;
  return entry.failures > 0 && now < entry.ask_at + kFailureIsNewsFor &&
         now < entry.fresh_until + options_.stale_if_error;
}

// Finds the open question or opens it. Who has an answer already asks for those who come later.
void CachingVerifier::join_question(Shard& shard, const HashValue& key, Lookup& lookup) {
  QuestionPtr& question = shard.open_questions[key];
  lookup.is_mine_to_ask = question == nullptr;
  if (!question) question = std::make_shared<Question>();
  lookup.question = question;
  if (!lookup.known) lookup.source = lookup.is_mine_to_ask ? Source::miss : Source::joined;
}

Task<> CachingVerifier::ask(HashValue key, std::string project, Secret token,
                            QuestionPtr question) {
  std::exception_ptr bug;
  Result<Grant> result = token_unchecked();
  try {
    result = co_await inner_.verify(project, token.reveal());
  } catch (...) {
    bug = std::current_exception();
  }
  question->answer(settle(key, std::move(result)));
  // Only now: whoever waits must get an answer in any case.
  if (bug) std::rethrow_exception(bug);
}

Question::Answer CachingVerifier::settle(const HashValue& key, Result<Grant> result) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  shard.open_questions.erase(key);
  if (result) return settle_granted(shard, key, *std::move(result));
  if (result.error().kind() == ErrorKind::unauthorized) {
    return settle_refused(shard, key, std::move(result).error());
  }
  return settle_failed(shard, key, std::move(result).error());
}

Question::Answer CachingVerifier::settle_granted(Shard& shard, const HashValue& key, Grant grant) {
  const auto now = clock_.now();
  CacheEntry entry;
  entry.grant = grant;
  entry.fresh_until = now + options_.cache_time;
  entry.ask_at = now + refresh_after(options_.cache_time, key);
  shard.granted.put(key, std::move(entry));
  shard.refused.erase(key);
  return Question::Answer(std::move(grant));
}

Question::Answer CachingVerifier::settle_refused(Shard& shard, const HashValue& key, Error error) {
  CacheEntry entry;
  entry.fresh_until = clock_.now() + options_.negative_time;
  shard.granted.erase(key);
  shard.refused.put(key, std::move(entry));
  return Question::Answer(std::move(error));
}

Question::Answer CachingVerifier::settle_failed(Shard& shard, const HashValue& key, Error error) {
  const auto now = clock_.now();
  CacheEntry* entry = shard.granted.find(key);
  if (entry == nullptr) return Question::Answer(std::move(error));
  if (now >= entry->fresh_until + options_.stale_if_error) {
    shard.granted.erase(key);
    return Question::Answer(std::move(error));
  }
  ++entry->failures;
  entry->ask_at = now + pause_after(entry->failures);
  const bool is_stale = now >= entry->fresh_until;
  return Question::Answer(entry->grant, is_stale);
}

}  // namespace flowstore::auth
