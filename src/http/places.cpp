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

Task<Places::Place> Places::take(std::chrono::steady_clock::time_point deadline) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  const auto waiter = std::make_shared<Waiter>(executor);
  waiter->timer.expires_at(deadline);
  if (try_take(waiter)) co_return Place(*this);
  boost::system::error_code ignored;
  const boost::asio::use_awaitable_t<> token;
  co_await waiter->timer.async_wait(boost::asio::redirect_error(token, ignored));
  if (leave_line(waiter)) co_return Place(*this);
  co_return Place();
}

// Stands in the line if there is none.
bool Places::try_take(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (free_ > 0) {
    --free_;
    return true;
  }
  waiting_.push_back(waiter);
  return false;
}

// True if the waiter has got a place meanwhile.
bool Places::leave_line(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (waiter->has_place) return true;
  std::erase(waiting_, waiter);
  return false;
}

void Places::give_back() noexcept {
  std::shared_ptr<Waiter> next;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
    next->has_place = true;
  }
  // It may be about to wait: to cancel a timer before that is lost, to let it expire is not.
  boost::asio::post(next->executor, [next] {
    next->timer.expires_at(std::chrono::steady_clock::time_point::min());
  });
}

}  // namespace flowstore::http
