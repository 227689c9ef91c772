#include "context/postgres/writer.h"

#include <algorithm>
#include <random>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "context/postgres/errors.h"

namespace flowstore::context::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Of one transaction: beyond this the share of the commit in its cost is gone, and the first of its
// writes only waits for the last.
constexpr std::size_t kMostTogether = 32;
constexpr std::size_t kMostBytesTogether = 256U << 10;
// Tries of one write, the first included.
constexpr int kTries = 4;
// How long a project somebody held on to is kept out of the transactions of others.
constexpr std::chrono::seconds kHeld{10};

bool is_held(const Trouble& trouble) {
  return trouble.sqlstate == "55P03" || trouble.sqlstate == "57014";
}

milliseconds pause_before(int attempt) {
  thread_local std::minstd_rand random{std::random_device()()};
  std::uniform_int_distribution<milliseconds::rep> pause(1, 10L << attempt);
  return milliseconds(pause(random));
}

void answer(Write& write, Status status) {
  write.answer = std::move(status);
  write.done.wake();
}

}  // namespace

Writer::Writer(boost::asio::io_context& loop, Pool& pool, const Tables& tables,
               milliseconds patience, Log& log, metrics::Registry& registry)
    : loop_(loop),
      pool_(pool),
      tables_(tables),
      least_(patience / 20),
      log_(log),
      batch_size_(registry.histogram("flowstore_context_batch_size", "Writes in one transaction.",
                                     {1, 2, 4, 8, 16, 32, 64}, {{"driver", "postgres"}})),
      duration_(registry.histogram(
          "flowstore_context_commit_duration_seconds", "Time of one transaction that writes.",
          {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5},
          {{"driver", "postgres"}})),
      queue_length_(registry.gauge("flowstore_context_queue_length",
                                   "Writes that wait for their turn.", {{"driver", "postgres"}})) {}

Task<Status> Writer::write(Write& write) {
  if (write.caller.has_left()) co_return left();
  write.is_single = write.kind == Write::Kind::clean || held_.contains(write.key.project);
  queue_.add(write);
  pump();
  co_await write.done.wait();
  co_return *std::move(write.answer);
}

void Writer::pump() {
  if (pool_.is_down()) {
    const auto everything = [](const Write&) { return true; };
    queue_.drop_if(everything, [](Write& write) { answer(write, no_answer()); });
  }
  while (true) {
    const bool is_single = queue_.singles() > 0 && singles_ < most_singles();
    if (!is_single && queue_.ready() == 0) break;
    const std::size_t free = pool_.free_for_writers();
    const Pool::Lent connection = pool_.lend_to_writer();
    if (!connection) break;
    const std::size_t share = (queue_.ready() + free - 1) / free;
    auto writes = is_single ? queue_.take_single()
                            : queue_.take(std::min(share, kMostTogether), kMostBytesTogether);
    if (is_single) ++singles_;
    spawn(loop_.get_executor(), "context writes", run(connection, std::move(writes), is_single));
  }
  pool_.say_writers_wait(queue_.ready() + queue_.singles() > 0);
  queue_length_.set(static_cast<std::int64_t>(queue_.waiting()));
}

// Half of the connections: writes are single because somebody may hold their rows, and those who do
// must not bring the others to a stop.
std::size_t Writer::most_singles() const {
  return std::max<std::size_t>(pool_.most_writers() / 2, 1);
}

Task<> Writer::run(Pool::Lent connection, std::vector<Write*> writes, bool is_single) {
  batch_size_.observe(static_cast<double>(writes.size()));
  const Instant start = steady_clock::now();
  Transaction transaction(*connection, tables_.schema(), pool_.use_names(), writes);
  const auto outcome = co_await transaction.run();
  duration_.observe(std::chrono::duration<double>(steady_clock::now() - start).count());
  if (outcome.trouble) {
    pool_.learn_from(*outcome.trouble);
    complain(*outcome.trouble);
  }
  for (Write* write : writes) settle(*write, outcome, writes.size() == 1);
  if (is_single) --singles_;
  pool_.give_back(connection);  // and pump
}

void Writer::settle(Write& write, const Transaction::Outcome& outcome, bool was_single) {
  if (!outcome.trouble) {
    if (write.answer) return finish(write, *std::exchange(write.answer, std::nullopt));
    ++write.attempts;
    return queue_.put_back(write);
  }
  // What a mutation said is worth nothing: it may see other values the next time.
  write.answer.reset();
  const Trouble& trouble = *outcome.trouble;
  if (write.caller.has_left()) return finish(write, left());
  // Nobody knows whether it was committed, and it must not happen twice. Replacing twice is
  // harmless.
  const bool is_unknown = outcome.was_committing && may_have_happened(trouble);
  if (is_unknown && write.kind == Write::Kind::update) return finish(write, no_answer());
  if (was_single && is_held(trouble)) held_[write.key.project] = steady_clock::now() + kHeld;

  if (!was_single && !trouble.is_lost) {  // it may be the fault of another one
    write.is_single = true;
    return queue_.put_back(write);
  }
  ++write.attempts;
  const bool is_over = write.attempts >= kTries || !has_time(write, steady_clock::now());
  const Remedy remedy = remedy_for(trouble);
  if (is_over || remedy == Remedy::none) return finish(write, translate(trouble));
  write.is_single = true;
  spawn(loop_.get_executor(), "context write", try_again_later(write));
}

Task<> Writer::try_again_later(Write& write) {
  boost::asio::steady_timer timer(loop_, pause_before(write.attempts));
  const boost::asio::use_awaitable_t<> token;
  co_await timer.async_wait(token);
  queue_.put_back(write);
  pump();
}

void Writer::finish(Write& write, Status status) {
  queue_.finish(write);
  answer(write, std::move(status));
}

bool Writer::has_time(const Write& write, Instant now) const {
  return write.deadline - now > least_;
}

void Writer::look_after(Instant now) {
  const auto is_over = [this, now](const Write& write) {
    return write.caller.has_left() || !has_time(write, now);
  };
  queue_.drop_if(
      is_over, [](Write& write) { answer(write, write.caller.has_left() ? left() : no_answer()); });
  std::erase_if(held_, [now](const auto& entry) { return entry.second <= now; });
  pump();
}

// What an operator should know and no client is told; once a second is enough.
void Writer::complain(const Trouble& trouble) {
  const Error error = translate(trouble);
  const bool is_news = error.kind() == ErrorKind::internal || error.kind() == ErrorKind::no_space ||
                       trouble.sqlstate == "42501";
  const Instant now = steady_clock::now();
  if (!is_news || now < next_complaint_) return;
  next_complaint_ = now + std::chrono::seconds(1);
  LogFields fields;
  fields.text("sqlstate", trouble.sqlstate).text("reason", trouble.message);
  log_.error("PostgreSQL refused a context write.", fields);
}

}  // namespace flowstore::context::postgres
