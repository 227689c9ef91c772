#include "postgres/call_loop.h"

#include <chrono>

#include <boost/asio/post.hpp>

namespace flowstore::postgres {
namespace {

// How often deadlines and callers are looked at. A client notices no difference, and the cost is
// nothing while nobody calls.
constexpr std::chrono::milliseconds kTick{100};

}  // namespace

CallLoop::CallLoop() : keeps_running_(loop_.get_executor()), timer_(loop_) {}

CallLoop::~CallLoop() {
  stop([] {});
}

void CallLoop::start(std::function<void()> first, std::function<void(Instant)> look_after) {
  look_after_ = std::move(look_after);
  thread_ = std::thread([this, first = std::move(first)] {
    first();
    loop_.run();
  });
}

bool CallLoop::enter() {
  const std::lock_guard lock(mutex_);
  if (!is_stopped_) ++calls_;
  return !is_stopped_;
}

void CallLoop::leave() {
  const std::lock_guard lock(mutex_);
  --calls_;
  if (is_stopped_) end_if_empty();
}

// The loop goes on until its last task has ended: the caller's way home, and the pool's.
void CallLoop::end_if_empty() {
  if (calls_ > 0) return;
  timer_.cancel();
  keeps_running_.reset();
}

bool CallLoop::is_anybody_here() {
  const std::lock_guard lock(mutex_);
  return calls_ > 0;
}

void CallLoop::tick() {
  if (is_ticking_) return;
  is_ticking_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    look_after_(std::chrono::steady_clock::now());
    is_ticking_ = false;
    if (is_anybody_here()) tick();
  });
}

void CallLoop::stop(std::function<void()> wind_up) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopped_) {
      is_stopped_ = true;
      boost::asio::post(loop_, [this, wind_up = std::move(wind_up)] {
        wind_up();
        const std::lock_guard ending(mutex_);
        end_if_empty();
      });
    }
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace flowstore::postgres
