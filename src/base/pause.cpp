#include "base/pause.h"

#include <random>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore {

Task<> sleep_for(std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  timer.expires_after(time);
  boost::system::error_code ignored;
  const boost::asio::use_awaitable_t<> token;
  co_await timer.async_wait(boost::asio::redirect_error(token, ignored));
}

std::chrono::milliseconds jittered(std::chrono::milliseconds time) {
  thread_local std::minstd_rand random{std::random_device()()};
  std::uniform_int_distribution<std::chrono::milliseconds::rep> half(0, time.count() / 2);
  return time - std::chrono::milliseconds(half(random));
}

}  // namespace flowstore
