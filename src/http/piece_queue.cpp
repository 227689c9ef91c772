#include "http/piece_queue.h"

#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore::http {

Task<> PieceQueue::next() {
  auto initiate = [this](auto handler) {
    // std::function wants to copy; the handler only moves.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    waiting_.emplace_back([shared] { std::move (*shared)(); });
    call_next();
  };
  const boost::asio::use_awaitable_t<> token;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      std::move(initiate), token);
}

// What is posted comes after what is ready now, and the loop asks the kernel before it comes to
// what that posts in turn.
void PieceQueue::call_next() {
  if (is_calling_ || waiting_.empty()) return;
  is_calling_ = true;
  boost::asio::post(loop_, [this] {
    is_calling_ = false;
    const auto go_on = std::move(waiting_.front());
    waiting_.pop_front();
    go_on();
    call_next();
  });
}

}  // namespace flowstore::http
