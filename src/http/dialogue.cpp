#include "http/dialogue.h"

#include <algorithm>
#include <utility>

namespace flowstore::http {
namespace {

using std::chrono::steady_clock;

// A request that is shorter goes out as one record of TLS.
constexpr std::size_t kRecordBytes = 16U << 10;

Error unavailable(std::string_view code, std::string why) {
  return {ErrorKind::unavailable, std::string(code), std::move(why)};
}

}  // namespace

Dialogue::Dialogue(std::unique_ptr<Wire> wire, const OutgoingRequest& request)
    : wire_(std::move(wire)),
      reader_(request.method == "HEAD"),
      timeout_(request.timeout),
      deadline_(request.deadline) {}

Error Dialogue::lost(std::string why) const {
  return unavailable(sent_ == 0 ? kNotSent : kNoAnswer, std::move(why));
}

Instant Dialogue::head_deadline() const {
  return std::min(deadline_, steady_clock::now() + timeout_);
}

Task<Status> Dialogue::begin(const OutgoingRequest& request, std::string head) {
  if (request.source != nullptr) {
    FLOWSTORE_CO_TRY(was_sent_whole_, co_await send_source(*request.source, head));
  } else {
    std::string_view body = request.body;
    if (wire_->is_tls() && head.size() + body.size() <= kRecordBytes) {
      head.append(body);
      body = std::string_view();
    }
    FLOWSTORE_CO_TRY(was_sent_whole_, co_await send(head, body));
  }
  // Whatever the peer has said, it was not about this request.
  if (sent_ == 0) co_return lost("the connection was closed before the request");
  co_return co_await read_head();
}

// The head goes out with the first piece: a source that fails at once costs the peer nothing.
Task<Result<bool>> Dialogue::send_source(ByteSource& source, std::string_view head) {
  std::uint64_t left = source.size().value_or(0);
  if (left == 0) co_return co_await send(head, std::string_view());
  while (left > 0) {
    FLOWSTORE_CO_TRY(const std::string_view piece, co_await source.next());
    if (piece.empty() || piece.size() > left) {
      co_return Error(ErrorKind::internal, "source", "a body has another size than it said");
    }
    if (!wants_more()) co_return false;
    FLOWSTORE_CO_TRY(const bool is_taken, co_await send(head, piece));
    if (!is_taken) co_return false;
    head = std::string_view();
    left -= piece.size();
  }
  co_return true;
}

Task<Result<bool>> Dialogue::send(std::string_view first, std::string_view second) {
  Instant deadline = head_deadline();
  while (!first.empty() || !second.empty()) {
    const Moved step = wire_->give(first, second);
    // The peer may have answered before it left.
    if (step.outcome == Try::failed || step.outcome == Try::ended) co_return false;
    if (step.outcome == Try::moved) {
      const std::size_t of_first = std::min(step.bytes, first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(step.bytes - of_first);
      sent_ += step.bytes;
      deadline = head_deadline();
      co_await wire_->be_fair();
      continue;
    }
    const bool is_in_time = co_await wire_->wait_for_either(deadline);
    was_silent_ = !is_in_time;
    if (was_silent_) co_return lost("the request was not taken in time");
    if (!wants_more()) co_return false;
  }
  co_return true;
}

bool Dialogue::wants_more() {
  const Try outcome = read_now();
  const bool has_left = outcome == Try::ended || outcome == Try::failed;
  return !has_left && !reader_.head().is_answering() &&
         reader_.state() != ReplyReader::State::malformed;
}

Try Dialogue::read_now() {
  if (is_broken_) return Try::failed;
  const Moved step = wire_->receive(reader_.space());
  if (step.outcome == Try::moved) reader_.take(step.bytes);
  if (step.outcome == Try::ended) reader_.end();
  has_piece_ = step.outcome == Try::moved;
  is_broken_ = step.outcome == Try::failed;
  return step.outcome;
}

Task<Status> Dialogue::read_more(Instant deadline) {
  while (true) {
    const Try outcome = read_now();
    if (outcome == Try::failed) co_return unavailable(kNoAnswer, wire_->failure());
    if (outcome == Try::moved || outcome == Try::ended) co_return Status();
    const bool is_in_time = co_await wire_->wait(outcome, deadline);
    was_silent_ = !is_in_time;
    if (was_silent_) co_return unavailable(kNoAnswer, "nothing came in time");
  }
}

Task<Status> Dialogue::read_head() {
  while (reader_.state() == ReplyReader::State::head) {
    const Status more = co_await read_more(head_deadline());
    if (!more) co_return lost(more.error().message());
  }
  if (reader_.head().is_complete()) co_return Status();
  co_return lost(reader_.was_ended() ? "the connection was closed without an answer"
                                     : "the answer is no HTTP");
}

Task<Result<std::string_view>> Dialogue::next() {
  while (true) {
    if (std::exchange(has_piece_, false) && !reader_.piece().empty()) co_return reader_.piece();
    if (is_over()) co_return std::string_view();
    if (reader_.state() == ReplyReader::State::malformed) {
      co_return unavailable(kCutShort, reader_.was_ended()
                                           ? "the connection was closed within the answer"
                                           : "the answer's chunks are malformed");
    }
    co_await wire_->be_fair();
    const Status more =
        co_await read_more(std::min(body_deadline_, steady_clock::now() + timeout_));
    if (more) continue;
    is_broken_ = true;  // also if it was only too slow
    co_return unavailable(kCutShort, more.error().message());
  }
}

}  // namespace flowstore::http
