#include "context/postgres/engine.h"

#include <boost/asio/post.hpp>

namespace flowstore::context::postgres {
namespace {

// How often deadlines and callers are looked at. A client notices no difference, and the cost is
// nothing while nobody calls.
constexpr std::chrono::milliseconds kTick{100};

}  // namespace

Engine::Engine(const Options& options, Tls tls, const Clock& clock, Log& log,
               metrics::Registry& registry)
    : keeps_running_(loop_.get_executor()),
      tables_(log),
      pool_(loop_, options, Endpoint(options, std::move(tls)), tables_, clock, log, registry,
            [this] { pump(); }),
      reader_(pool_),
      log_(log),
      writer_(loop_, pool_, tables_, options.patience, log, registry),
      timer_(loop_),
      thread_([this] {
        pool_.start();
        loop_.run();
      }) {}

Engine::~Engine() { stop(); }

void Engine::pump() {
  reader_.pump();
  writer_.pump();
}

Task<Result<std::vector<Rows>>> Engine::read(const Pipeline& pipeline, Runner::Asker asker) {
  Answer answer = co_await reader_.run(pipeline, asker);
  if (!answer.trouble) co_return std::move(answer.results);
  if (asker.has_left()) co_return left();
  Error error = translate(*answer.trouble);
  if (error.kind() == ErrorKind::internal) {
    LogFields fields;
    fields.text("sqlstate", answer.trouble->sqlstate).text("reason", answer.trouble->message);
    log_.error("PostgreSQL refused a context read.", fields);
  }
  co_return error;
}

bool Engine::enter() {
  const std::lock_guard lock(mutex_);
  if (!is_stopped_) ++calls_;
  return !is_stopped_;
}

void Engine::leave() {
  const std::lock_guard lock(mutex_);
  --calls_;
  if (is_stopped_) end_if_empty();
}

// The loop goes on until its last task has ended: the caller's way home, and the pool's.
void Engine::end_if_empty() {
  if (calls_ > 0) return;
  timer_.cancel();
  keeps_running_.reset();
}

bool Engine::is_anybody_here() {
  const std::lock_guard lock(mutex_);
  return calls_ > 0;
}

void Engine::tick() {
  if (is_ticking_) return;
  is_ticking_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const Instant now = std::chrono::steady_clock::now();
    pool_.look_after(now);
    reader_.look_after(now);
    writer_.look_after(now);
    is_ticking_ = false;
    if (is_anybody_here()) tick();
  });
}

void Engine::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopped_) {
      is_stopped_ = true;
      boost::asio::post(loop_, [this] {
        pool_.stop();
        pump();
        const std::lock_guard ending(mutex_);
        end_if_empty();
      });
    }
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace flowstore::context::postgres
