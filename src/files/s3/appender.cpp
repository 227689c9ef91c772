#include "files/s3/appender.h"

#include <algorithm>
#include <utility>

#include "base/pause.h"
#include "files/s3/joined_source.h"

namespace flowstore::files::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Appends of one key that become one: more would only make the first ones wait.
constexpr std::size_t kMostJoined = 4U << 20;
// Between tries that others were faster than.
constexpr milliseconds kShortestPause{5};
constexpr milliseconds kLongestPause{200};
// Of a PUT; larger objects have been uploaded in parts.
constexpr std::uint64_t kMostPut = std::uint64_t{5} << 30U;
// To rewrite this much at a time is what a slow store can be expected to do; but after a minute the
// change would count as that of a dead process (files/shared/statements.h).
constexpr std::uint64_t kBytesPerSecond = 20U << 20;
constexpr std::uint64_t kMostSeconds = 50;

WriteResult result_of(const FileStat& stat, std::uint64_t before) {
  WriteResult result;
  result.stat = stat;
  result.replaced_bytes = before;
  return result;
}

WriteResult result_of(const Change& change, std::uint64_t before, std::uint64_t added) {
  FileStat stat;
  stat.size = before + added;
  stat.etag = change.etag;
  stat.modified = std::chrono::system_clock::now();
  return result_of(stat, before);
}

milliseconds pause_after(int tries) {
  return jittered(std::min(kLongestPause, kShortestPause * (1 << std::min(tries, 10))));
}

Change passed() {
  Change change;
  change.is_passed = true;
  return change;
}

bool refuses_uneven_parts(const Error& error) {
  return error.code() == "InvalidPart" || error.code() == "EntityTooSmall";
}

}  // namespace

Task<Result<WriteResult>> Appender::append(const FileKey& key, std::string body,
                                           const Expected& expected) {
  const auto until = expected.until.value_or(objects_.deadline());
  if (expected.what == Expected::What::anything) {
    co_return co_await join(key, std::move(body), expected, until);
  }
  FLOWSTORE_CO_TRY(const Right right, co_await changes_.enter(key));
  Attempt attempt(key.path(), body, right, until);
  co_return co_await append_now(attempt, expected);
}

// Whoever has the right to the key does what all those who wait for it want.
Task<Result<WriteResult>> Appender::join(const FileKey& key, std::string body,
                                         const Expected& expected, http::Instant until) {
  const auto own = std::make_shared<Waiting>(std::move(body));
  {
    const std::lock_guard lock(mutex_);
    waiting_[key.path()].push_back(own);
  }
  auto right = co_await changes_.enter(key);
  if (own->result) co_return *own->result;
  Batch batch = take_batch(key.path(), own);
  if (!right) {
    share_out(batch, right.error());
    co_return right.error();
  }
  co_await append_all(key, std::move(batch), expected, *right, until);
  co_return *own->result;
}

// Where all together are too much, only one look at the object tells for whom there is room.
Task<> Appender::append_all(const FileKey& key, Batch batch, const Expected& expected,
                            const Right& right, http::Instant until) {
  while (!batch.empty()) {
    std::string tail;
    for (const auto& waiting : batch) tail.append(waiting->body);
    Attempt attempt(key.path(), tail, right, until);
    const auto written = co_await append_now(attempt, expected);
    const bool is_too_long = !written && written.error().kind() == ErrorKind::too_large;
    if (is_too_long && refuse_too_long(batch, expected, attempt.size_before)) continue;
    share_out(batch, written);
    co_return;
  }
}

// Tells those that have no room behind an object of that size, in the order in which they came, and
// keeps the others. False if all have.
bool Appender::refuse_too_long(Batch& batch, const Expected& expected, std::uint64_t size) {
  Batch kept;
  for (const auto& waiting : batch) {
    const std::uint64_t more = waiting->body.size();
    if (expected.has_room(size, more)) {
      size += more;
      kept.push_back(waiting);
    } else {
      waiting->result = Error::too_large(*expected.most);
    }
  }
  const bool has_refused = kept.size() < batch.size();
  batch.swap(kept);
  return has_refused;
}

// The first ones, and in any case one's own.
Appender::Batch Appender::take_batch(const std::string& key, const std::shared_ptr<Waiting>& own) {
  const std::lock_guard lock(mutex_);
  Batch& all = waiting_[key];
  Batch batch;
  std::size_t bytes = 0;
  auto next = all.begin();
  for (; next != all.end() && (bytes <= kMostJoined); ++next) {
    bytes += (*next)->body.size();
    batch.push_back(*next);
  }
  all.erase(all.begin(), next);
  const auto is_own = [&own](const auto& waiting) { return waiting == own; };
  if (std::none_of(batch.begin(), batch.end(), is_own)) {
    std::erase_if(all, is_own);
    batch.push_back(own);
  }
  if (all.empty()) waiting_.erase(key);
  return batch;
}

// Each is told of the file as if it had been the only one, but for the entity tag.
void Appender::share_out(const Batch& batch, const Result<WriteResult>& written) {
  std::uint64_t size = written ? *written->replaced_bytes : 0;
  for (const auto& waiting : batch) {
    if (!written) {
      waiting->result = written.error();
      continue;
    }
    FileStat stat = written->stat;
    stat.size = size + waiting->body.size();
    waiting->result = result_of(stat, size);
    size = stat.size;
  }
}

Task<Result<WriteResult>> Appender::append_now(Attempt& attempt, const Expected& expected) {
  std::optional<History> doubted;  // of the object when a try got no answer
  for (int tries = 0;; ++tries) {
    FLOWSTORE_CO_TRY(Base base, co_await look(attempt));
    if (doubted && base.found) {
      const History& history = base.found->history;
      if (history.contains(attempt.name)) {
        const FileStat& now = base.found->stat;
        co_return result_of(now, now.size - attempt.tail.size());
      }
      if (!history.reaches_back_to(*doubted)) co_return outcome_unknown();
    }
    if (!is_expected(expected, base.found)) co_return changed_meanwhile();
    attempt.size_before = base.size();
    if (!expected.has_room(base.size(), attempt.tail.size())) {
      co_return Error::too_large(*expected.most);
    }
    auto change = co_await write(attempt, base);
    if (change && !change->is_passed) {
      co_return result_of(*change, base.size(), attempt.tail.size());
    }
    if (!change) {
      if (!is_outcome_unknown(change.error())) co_return change.error();
      doubted = base.found ? base.found->history : History();
    }
    const milliseconds pause = pause_after(tries);
    if (steady_clock::now() + pause >= attempt.until) {
      co_return doubted ? outcome_unknown() : too_contended();
    }
    co_await sleep_for(pause);
  }
}

Task<Result<Appender::Base>> Appender::look(const Attempt& attempt) {
  const Condition whatever;
  FLOWSTORE_CO_TRY(auto answer,
                   co_await objects_.get(attempt.key, std::nullopt, whatever, attempt.until));
  Base base;
  if (!answer.is_good()) co_return base;
  base.found.emplace(answer);
  base.is_large = base.size() >= kPartBytes;
  if (base.is_large) co_return base;
  ObjectSource source(objects_, attempt.key, *base.found, attempt.right.can.has_md5_etags);
  source.begin_with(std::move(answer));
  FLOWSTORE_CO_TRY(base.bytes, co_await read_all(source));
  co_return base;
}

Task<Result<Change>> Appender::write(const Attempt& attempt, Base& base) {
  const bool is_safe_in_parts =
      attempt.right.can.has_conditional_complete || attempt.right.lock != nullptr;
  const bool copies = base.is_large && !refuses_uneven_parts_ &&
                      (is_safe_in_parts || !attempt.right.can.has_conditional_put());
  if (copies) co_return co_await copy_and_add(attempt, base);
  if (base.is_large) co_return co_await rewrite(attempt, base);
  PutOptions options;
  options.condition = attempt.right.can.unchanged(base.stat(), Way::put);
  options.history = (base.found ? base.found->history : History()).with(attempt.name);
  options.deadline = attempt.until;
  base.bytes.append(attempt.tail);
  co_return co_await objects_.put(attempt.key, base.bytes, options);
}

// Through this process: slow, but under a condition where the store has none for uploads in parts.
Task<Result<Change>> Appender::rewrite(const Attempt& attempt, const Base& base) {
  const std::uint64_t size = base.size() + attempt.tail.size();
  if (size > kMostPut) co_return Error::too_large(kMostPut);
  const Found& found = *base.found;
  ObjectSource object(objects_, attempt.key, found, attempt.right.can.has_md5_etags);
  JoinedSource body(object, attempt.tail);
  PutOptions options;
  options.condition = attempt.right.can.unchanged(found.stat, Way::put);
  options.history = found.history.with(attempt.name);
  options.deadline =
      objects_.deadline() + std::chrono::seconds(std::min(size / kBytesPerSecond, kMostSeconds));
  co_return co_await objects_.put(attempt.key, body, options);
}

// By the store itself, whatever the size.
Task<Result<Change>> Appender::copy_and_add(const Attempt& attempt, const Base& base) {
  Multipart upload(objects_, attempt.key);
  FLOWSTORE_CO_TRY_STATUS(co_await upload.begin(base.found->history.with(attempt.name)));
  auto change = co_await fill(upload, attempt, base.found->stat);
  if (change || !refuses_uneven_parts(change.error())) co_return change;
  refuses_uneven_parts_ = true;
  co_return passed();  // and tried again in the other way
}

Task<Result<Change>> Appender::fill(Multipart& upload, const Attempt& attempt,
                                    const FileStat& old) {
  auto parts = co_await upload.copy(old, 1);
  if (!parts && parts.error().kind() == ErrorKind::conflict) co_return passed();
  if (!parts) co_return parts.error();
  const int last = static_cast<int>(parts->size()) + 1;
  FLOWSTORE_CO_TRY(auto tail, co_await upload.put(last, attempt.tail));
  parts->push_back(std::move(tail));
  if (!attempt.right.can.has_conditional_complete) {
    // Nobody who keeps to the lock, or to this process, can have changed it; this shows most of
    // what others do.
    FLOWSTORE_CO_TRY(const auto now, co_await objects_.head(attempt.key));
    if (!now || now->stat.etag != old.etag) co_return passed();
  }
  const Condition condition = attempt.right.can.unchanged(old, Way::completion);
  co_return co_await upload.complete(*parts, condition);
}

}  // namespace flowstore::files::s3
