// Several tasks at a time on one thread.

#pragma once

#include <algorithm>
#include <cstddef>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/task.h"

namespace flowstore::tools {

// Awaits work(0), work(1), ... work(count - 1), up to `width` of them at a time, on the caller's
// executor, which has one thread. Returns when all have ended.
template <class Work>
Task<> side_by_side(std::size_t count, std::size_t width, Work& work) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer all_ended(executor, boost::asio::steady_timer::time_point::max());
  std::size_t next = 0;
  std::size_t running = std::min(count, width);
  if (running == 0) co_return;
  auto worker = [&]() -> Task<> {
    while (next < count) {
      const std::size_t mine = next++;
      co_await work(mine);
    }
    if (--running == 0) all_ended.cancel();
  };
  for (std::size_t i = std::min(count, width); i > 0; --i)
    spawn(executor, "side by side", worker());
  // Those that never had to wait have ended by now, and nobody would wake us.
  if (running == 0) co_return;
  boost::system::error_code cancelled;
  co_await all_ended.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
}

}  // namespace flowstore::tools
