#include "http/places.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore::http {

struct Places::Waiter {
  explicit Waiter(const Executor& loop) : executor(loop), timer(loop) {}

  Executor executor;
  boost::asio::steady_timer timer;  // used on the executor only
  bool has_place = false;           // guarded by the mutex of the places
};

// A task's time in the line. It may end with the task, when the loop ends: then nobody must come
// back to the waiter, and a place that it has got by then is the next one's.
class Places::Stay {
 public:
  Stay(Places& places, const std::shared_ptr<Waiter>& waiter) : places_(places), waiter_(waiter) {
    is_over_ = !places_.stand_in_line(waiter_);
    has_place_ = is_over_;
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;
  ~Stay() { const Place unused = leave(); }

  bool has_place() const noexcept { return has_place_; }
  // None if there is none; not to be asked again.
  Place leave() {
    if (!std::exchange(is_over_, true)) has_place_ = places_.leave_line(waiter_);
    return std::exchange(has_place_, false) ? Place(places_) : Place();
  }

 private:
  Places& places_;
  const std::shared_ptr<Waiter>& waiter_;
  bool is_over_ = false;
  bool has_place_ = false;
};

Places::Place& Places::Place::operator=(Place&& other) noexcept {
  if (this != &other) {
    give_back();
    places_ = std::exchange(other.places_, nullptr);
  }
  return *this;
}

void Places::Place::give_back() noexcept {
  if (places_ != nullptr) std::exchange(places_, nullptr)->give_back();
}

Places::Place Places::take_now() {
  const std::lock_guard lock(mutex_);
  if (free_ == 0) return Place();
  --free_;
  return Place(*this);
}

Task<Places::Place> Places::take(std::chrono::steady_clock::time_point deadline) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  const auto waiter = std::make_shared<Waiter>(executor);
  waiter->timer.expires_at(deadline);
  Stay stay(*this, waiter);
  if (!stay.has_place()) {
    boost::system::error_code ignored;
    const boost::asio::use_awaitable_t<> token;
    co_await waiter->timer.async_wait(boost::asio::redirect_error(token, ignored));
  }
  co_return stay.leave();
}

std::size_t Places::taken() const {
  const std::lock_guard lock(mutex_);
  return most_ - free_;
}

bool Places::stand_in_line(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (free_ > 0) {
    --free_;
    return false;
  }
  waiting_.push_back(waiter);
  return true;
}

bool Places::leave_line(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (!waiter->has_place) std::erase(waiting_, waiter);
  return waiter->has_place;
}

void Places::give_back() noexcept {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  const std::shared_ptr<Waiter> next = std::move(waiting_.front());
  waiting_.pop_front();
  next->has_place = true;
  // Under the lock, so that the waiter's loop is still there: its end takes the lock to leave the
  // line. The waiter may be about to wait: to cancel a timer before that is lost, to let it expire
  // is not.
  boost::asio::post(next->executor, [next] {
    next->timer.expires_at(std::chrono::steady_clock::time_point::min());
  });
}

}  // namespace flowstore::http
