#include "http/connector.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "http/dialogue.h"
#include "http/request_head.h"

namespace flowstore::http {
namespace {

using std::chrono::steady_clock;

Error not_sent(std::string why) {
  return {ErrorKind::unavailable, std::string(kNotSent), std::move(why)};
}

}  // namespace

class Connector::KeptReply final : public Reply {
 public:
  KeptReply(Connector& connector, const Origin& origin, Turn turn, const OutgoingRequest& request)
      : connector_(connector),
        origin_(origin),
        place_(std::move(turn.place)),
        dialogue_(std::move(turn.wire), request) {}

  bool was_silent() const noexcept { return dialogue_.was_silent(); }

  // Up to the head of the answer.
  Task<Status> begin(const OutgoingRequest& request, std::string head) {
    const Instant start = steady_clock::now();
    const Status begun = co_await dialogue_.begin(request, std::move(head));
    // The other connections may go nowhere either, and each would be waited for in vain. A deadline
    // that was near says nothing of them.
    const bool was_awaited = steady_clock::now() - start >= request.timeout;
    if (!begun && dialogue_.was_silent() && was_awaited) connector_.idle_.drop(origin_);
    if (begun && dialogue_.is_over()) leave_connection();
    co_return begun;
  }

  int status() const override { return dialogue_.head().status(); }
  std::string_view header(std::string_view name) const override {
    return dialogue_.head().header(name);
  }
  std::optional<std::uint64_t> size() const override { return dialogue_.head().length(); }
  void end_by(Instant deadline) noexcept override { dialogue_.end_by(deadline); }

  Task<Result<std::string_view>> next() override {
    const auto piece = co_await dialogue_.next();
    if (dialogue_.is_over()) leave_connection();
    co_return piece;
  }

 private:
  // As soon as all has come, if not all has been pulled. The connection first: whoever gets the
  // place may want it.
  void leave_connection() {
    const auto wire = dialogue_.take_wire();
    if (!wire) return;
    if (dialogue_.can_be_kept()) connector_.idle_.keep(origin_, wire->release());
    place_ = Places::Place();
  }

  Connector& connector_;
  const Origin origin_;
  Places::Place place_;  // above the dialogue: the connection goes first
  Dialogue dialogue_;
};

Connector::Connector(const Trust& trust, ConnectorOptions options)
    : dialler_(trust),
      places_(options.max_connections),
      idle_(options.max_idle, options.idle_timeout) {}

Connector::~Connector() = default;

Task<Result<std::unique_ptr<Reply>>> Connector::send(const Origin& origin,
                                                     OutgoingRequest request) {
  FLOWSTORE_CO_TRY(std::string head, make_request_head(request));
  FLOWSTORE_CO_TRY(Turn turn, co_await take(origin, request));
  const bool may_be_stale = turn.was_kept && request.method == "GET";
  auto reply = std::make_unique<KeptReply>(*this, origin, std::move(turn), request);
  const Status begun = co_await reply->begin(request, std::move(head));
  if (begun) co_return std::unique_ptr<Reply>(std::move(reply));
  if (!may_be_stale || reply->was_silent()) co_return begun.error();
  reply.reset();  // with its place
  request.on_new_connection = true;
  co_return co_await send(origin, std::move(request));
}

Task<Result<Connector::Turn>> Connector::take(const Origin& origin,
                                              const OutgoingRequest& request) {
  const Instant now = steady_clock::now();
  Instant deadline = std::min(request.deadline, now + request.connect_timeout);
  if (deadline <= now) co_return not_sent("there was no time left");
  Turn turn;
  turn.place = places_.take_now();
  if (!turn.place) {
    const Instant patience = request.waits_in_line ? request.deadline : deadline;
    turn.place = co_await places_.take(patience);
    if (!turn.place) co_return not_sent("all connections are in use");
    if (request.waits_in_line) {
      deadline = std::min(request.deadline, steady_clock::now() + request.connect_timeout);
    }
  }
  FLOWSTORE_CO_TRY_STATUS(co_await connect(turn, origin, request, deadline));
  co_return turn;
}

Task<Status> Connector::connect(Turn& turn, const Origin& origin, const OutgoingRequest& request,
                                Instant deadline) {
  std::optional<Line> line;
  if (!request.on_new_connection) line = idle_.take(origin);
  if (line) {
    reused_.fetch_add(1, std::memory_order_relaxed);
    const Executor executor = co_await boost::asio::this_coro::executor;
    turn.wire = std::make_unique<Wire>(executor, *std::move(line));
    turn.was_kept = true;
    co_return Status();
  }
  auto dialled = co_await dialler_.dial(origin, deadline);
  if (!dialled) co_return not_sent(dialled.error().message());
  opened_.fetch_add(1, std::memory_order_relaxed);
  turn.wire = *std::move(dialled);
  co_return Status();
}

Connector::Counts Connector::counts() const {
  Counts counts;
  counts.in_use = places_.taken();
  counts.idle = idle_.count();
  counts.opened = opened_.load(std::memory_order_relaxed);
  counts.reused = reused_.load(std::memory_order_relaxed);
  return counts;
}

}  // namespace flowstore::http
