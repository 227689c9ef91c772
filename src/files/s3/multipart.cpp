#include "files/s3/multipart.h"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/crash_point.h"
#include "base/pause.h"

namespace flowstore::files::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// At a time: one is sent while the next one comes in from the client.
constexpr std::size_t kAtATime = 2;
// Of one part, its repetitions included: the client is still sending, so there is time.
constexpr seconds kPartTime{20};
// Shorter than a lock lasts: what completes later must not overtake whoever has it next.
constexpr seconds kCompleteTime{15};
// S3 copies at most 5 GiB at a time.
constexpr std::uint64_t kMostCopied = std::uint64_t{1} << 30U;
// Between the tries to give an upload up, doubled each time. What a store keeps that is away for
// longer than the sum of them, its own rule for old uploads has to remove (docs/s3.md).
constexpr milliseconds kShortestPause{250};
constexpr milliseconds kLongestPause{5000};
constexpr int kGiveUpTries = 200;

}  // namespace

// Shared with the tasks that send.
struct Multipart::State {
  State(Objects& all, std::string name, const Executor& executor)
      : objects(all), key(std::move(name)), changed(executor) {
    changed.expires_at(steady_clock::time_point::max());
  }

  // Until a part has been sent.
  Task<> wait() {
    boost::system::error_code ignored;
    const boost::asio::use_awaitable_t<> token;
    co_await changed.async_wait(boost::asio::redirect_error(token, ignored));
  }

  Objects& objects;
  std::string key;
  std::string id;
  boost::asio::steady_timer changed;  // never expires; cancelled to wake who waits
  std::size_t under_way = 0;
  std::optional<Error> failure;  // the first one
  std::vector<Part> parts;
};

Multipart::Multipart(Objects& objects, std::string key) : objects_(objects), key_(std::move(key)) {}

Multipart::~Multipart() {
  if (state_) spawn(state_->changed.get_executor(), "give up upload", give_up(state_));
}

Task<Status> Multipart::begin(const History& history) {
  FLOWSTORE_CO_TRY(std::string id, co_await objects_.begin_upload(key_, history));
  const Executor executor = co_await boost::asio::this_coro::executor;
  state_ = std::make_shared<State>(objects_, key_, executor);
  state_->id = std::move(id);
  crash_point(CrashPoint::upload_begun);
  co_return Status();
}

Task<Status> Multipart::add(int number, std::string bytes) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  if (state_->failure) co_return *state_->failure;
  ++state_->under_way;
  spawn(executor, "upload part", send(state_, number, std::move(bytes)));
  while (state_->under_way >= kAtATime && !state_->failure) co_await state_->wait();
  if (state_->failure) co_return *state_->failure;
  co_return Status();
}

Task<> Multipart::send(std::shared_ptr<State> state, int number, std::string bytes) {
  const auto deadline = steady_clock::now() + kPartTime;
  auto part = co_await state->objects.upload_part(state->key, state->id, number, bytes, deadline);
  crash_point(CrashPoint::part_sent);
  --state->under_way;
  if (part) {
    state->parts.push_back(*std::move(part));
  } else if (!state->failure) {
    state->failure = part.error();
  }
  state->changed.cancel();
}

Task<Result<std::vector<Part>>> Multipart::finish() {
  while (state_->under_way > 0) co_await state_->wait();
  if (state_->failure) co_return *state_->failure;
  std::sort(state_->parts.begin(), state_->parts.end(),
            [](const Part& a, const Part& b) { return a.number < b.number; });
  co_return state_->parts;
}

Task<Result<std::vector<Part>>> Multipart::copy(const FileStat& found, int first) {
  std::vector<Part> parts;
  // Even pieces: a last one of less than a part's size would not be accepted in the middle.
  const std::uint64_t pieces = (found.size + kMostCopied - 1) / kMostCopied;
  const std::uint64_t piece = (found.size + pieces - 1) / pieces;
  for (std::uint64_t offset = 0; offset < found.size; offset += piece) {
    const Range range(offset, std::min(piece, found.size - offset));
    const int number = first + static_cast<int>(parts.size());
    const auto deadline = steady_clock::now() + kPartTime;
    FLOWSTORE_CO_TRY(auto part, co_await objects_.copy_part(key_, state_->id, number, range,
                                                            found.etag, deadline));
    crash_point(CrashPoint::part_copied);
    parts.push_back(std::move(part));
  }
  co_return parts;
}

Task<Result<Part>> Multipart::put(int number, std::string_view bytes) {
  const auto deadline = steady_clock::now() + kPartTime;
  co_return co_await objects_.upload_part(key_, state_->id, number, bytes, deadline);
}

Task<Result<Change>> Multipart::complete(const std::vector<Part>& parts,
                                         const Condition& condition) {
  crash_point(CrashPoint::upload_filled);
  const auto deadline = steady_clock::now() + kCompleteTime;
  auto changed = co_await objects_.complete_upload(key_, state_->id, parts, condition, deadline);
  crash_point(CrashPoint::upload_completed);
  if (changed && !changed->is_passed) state_.reset();
  co_return changed;
}

// Parts on their way first: one that arrives later would stay behind.
Task<> Multipart::give_up(std::shared_ptr<State> state) {
  while (state->under_way > 0) co_await state->wait();
  milliseconds pause = kShortestPause;
  for (int left = kGiveUpTries; left > 0; --left) {
    const Status aborted = co_await state->objects.abort_upload(state->key, state->id);
    if (aborted) co_return;
    co_await sleep_for(jittered(pause));
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace flowstore::files::s3
