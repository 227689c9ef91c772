#include "postgres/runner.h"

#include <utility>

namespace flowstore::postgres {
namespace {

using std::chrono::steady_clock;

// Tries of one pipeline, the first included.
constexpr int kTries = 4;

}  // namespace

Task<Answer> Runner::run(const Pipeline& pipeline, Asker asker) {
  for (int tries = 1;; ++tries) {
    Answer answer;
    answer.trouble = Trouble("", "the caller has left");
    if (asker.has_left()) co_return answer;
    answer = co_await run_once(pipeline, asker);
    if (!answer.trouble) co_return answer;
    const Trouble& trouble = *answer.trouble;
    pool_.learn_from(trouble);
    // Cancelled: somebody else's statement on the same connection was meant.
    const bool may_help = remedy_for(trouble) != Remedy::none || trouble.sqlstate == "57014";
    const bool is_over =
        tries >= kTries || pool_.is_down() || asker.deadline <= steady_clock::now();
    if (!asker.has_left() && (!may_help || is_over)) co_return answer;
  }
}

Task<Answer> Runner::run_once(const Pipeline& pipeline, Asker asker) {
  Waiting waiting(pipeline, asker);
  waiting.flight.terms.deadline = asker.deadline;
  if (asker.caller != nullptr) {
    waiting.flight.terms.has_left = [caller = asker.caller] { return caller->has_left(); };
  }
  waiting_.push_back(&waiting);
  pump();
  co_await waiting.flight.done.wait();
  pool_.done_reading();
  co_return std::move(waiting.flight.answer);
}

void Runner::pump() {
  while (!waiting_.empty()) {
    Waiting& next = *waiting_.front();
    if (pool_.is_down()) {
      next.flight.answer.trouble = Trouble("", "the database is down");
      waiting_.pop_front();
      next.flight.done.wake();
      continue;
    }
    const Pool::Lent connection = pool_.share_with_reader();
    if (!connection) return;
    waiting_.pop_front();
    next.flight.terms.use_names = pool_.use_names();
    connection->send(next.pipeline, next.flight);
  }
}

void Runner::look_after(Instant now) {
  std::erase_if(waiting_, [now](Waiting* one) {
    const bool is_over = one->asker.has_left() || one->asker.deadline <= now;
    if (is_over) {
      one->flight.answer.trouble = Trouble("", "no connection was free in time");
      one->flight.done.wake();
    }
    return is_over;
  });
  pump();
}

}  // namespace flowstore::postgres
