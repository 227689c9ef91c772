// suspend: waiting for a call from anywhere.

#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/task.h"

namespace flowstore {

// Lets the one who waits go on, on their own executor and never inline. To be called once, on any
// thread; the executor keeps running until then. Dropped uncalled, it takes the waiting task along.
using Resume = std::function<void()>;

// Suspends the caller and then calls `begin(Resume)`, which says somewhere that there is somebody
// to wake. Where the executor has more threads than one, the caller may go on before `begin`
// returns.
template <class Begin>
Task<> suspend(Begin begin) {
  auto initiate = [begin = std::move(begin)](auto handler) mutable {
    auto loop = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                    boost::asio::execution::outstanding_work.tracked);
    // std::function wants to copy; the handler only moves.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    begin(
        Resume([shared, loop = std::move(loop)] { boost::asio::post(loop, std::move(*shared)); }));
  };
  const boost::asio::use_awaitable_t<> token;
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      std::move(initiate), token);
}

}  // namespace flowstore
