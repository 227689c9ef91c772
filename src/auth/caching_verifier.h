// CachingVerifier: remembers what another verifier said.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/question.h"
#include "auth/recent_entries.h"
#include "auth/siphash.h"
#include "auth/token_verifier.h"
#include "base/clock.h"
#include "base/secret.h"
#include "metrics/registry.h"

namespace flowstore::auth {

struct CachingOptions {
  // A grant is good for so long after its check; used or not, it does not get younger.
  std::chrono::milliseconds cache_time = std::chrono::seconds(90);
  // And for so long after that, while nobody can be asked.
  std::chrono::milliseconds stale_if_error = std::chrono::seconds(600);
  // A refusal stands for so long: short, because a token may just have been made.
  std::chrono::milliseconds negative_time = std::chrono::seconds(3);
  // Grants remembered, about 250 bytes each. A tenth as many refusals are remembered beside them,
  // so that guessing tokens pushes nobody's grant out.
  std::size_t max_entries = 100'000;
};

// Asks the verifier behind it once for everybody who wants to know at the same time, and again
// before an entry in use expires, so that its users never wait. A refusal takes effect at once; a
// failure (unavailable) is never remembered as a refusal.
//
// Entries are found by a hash of project and token with a random key of this process. SipHash is a
// pseudo-random function, allocates nothing and takes 84 ns for a usual token, a prepared
// HMAC-SHA256 446 ns; with 128 bits of output nobody can make two tokens meet. No token is kept
// beyond the question about it.
//
// Questions run as tasks of their own on the executor of whoever asked first, and go on if the
// asker is gone. This object outlives them and the executors of all who wait.
class CachingVerifier final : public TokenVerifier {
 public:
  // All references must outlive this.
  CachingVerifier(TokenVerifier& inner, const CachingOptions& options, const Clock& clock,
                  metrics::Registry& registry);

  Task<Result<Grant>> verify(std::string_view project, std::string_view token) override;
  std::optional<Result<Grant>> verify_now(std::string_view project,
                                          std::string_view token) override;

 private:
  // How a request was answered; the label `result` of the metric.
  enum class Source : std::uint8_t { hit, miss, stale, negative, joined };
  using QuestionPtr = std::shared_ptr<Question>;

  // What to do about a request.
  struct Lookup {
    Lookup() = default;

    Source source = Source::hit;
    std::optional<Result<Grant>> known;  // answer with this, or wait for the question
    QuestionPtr question;
    bool is_mine_to_ask = false;
  };
  // A part of the cache with a lock of its own.
  struct Shard {
    Shard(std::size_t max_granted, std::size_t max_refused)
        : granted(max_granted), refused(max_refused) {}

    std::mutex mutex;
    // All below are guarded by mutex, which is never held while a coroutine is suspended.
    RecentEntries granted;
    RecentEntries refused;
    struct Hash {
      std::size_t operator()(const HashValue& key) const noexcept { return key.low; }
    };
    std::unordered_map<HashValue, QuestionPtr, Hash> open_questions;
  };

  HashValue key_of(std::string_view project, std::string_view token) const noexcept;
  Shard& shard_of(const HashValue& key) { return *shards_[key.high % shards_.size()]; }

  Lookup look_up(const HashValue& key);
  bool recall(Shard& shard, const HashValue& key, Lookup& lookup) const;
  bool is_usable(const CacheEntry& entry, Clock::Instant now, Source& source) const;
  static void join_question(Shard& shard, const HashValue& key, Lookup& lookup);

  Task<> ask(HashValue key, std::string project, Secret token, QuestionPtr question);
  Question::Answer settle(const HashValue& key, Result<Grant> result);
  Question::Answer settle_granted(Shard& shard, const HashValue& key, Grant grant);
  Question::Answer settle_refused(Shard& shard, const HashValue& key, Error error);
  Question::Answer settle_failed(Shard& shard, const HashValue& key, Error error);

  void count(Source source) noexcept { counters_[static_cast<std::size_t>(source)]->add(); }

  TokenVerifier& inner_;
  const CachingOptions options_;
  const Clock& clock_;
  const SipHash::Key secret_ = SipHash::random_key();
  std::array<metrics::Counter*, 5> counters_{};
  // Enough that the loops of one machine rarely meet on a mutex that is held for a look-up.
  std::array<std::unique_ptr<Shard>, 64> shards_;
};

}  // namespace flowstore::auth
