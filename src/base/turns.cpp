#include "base/turns.h"

#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore {

Turn::Turn(Turn&& other) noexcept
    : turns_(std::exchange(other.turns_, nullptr)), name_(std::move(other.name_)) {}

Turn::~Turn() {
  if (turns_ != nullptr) turns_->give_back(name_);
}

Turns::Shard& Turns::shard_of(std::string_view name) {
  return shards_[Hash()(name) % shards_.size()];
}

Task<Turn> Turns::take(std::string name) {
  Shard& shard = shard_of(name);
  // The lock is released before the task is suspended: the handler is queued under it, and whoever
  // gives the turn back resumes the handler through its executor, never inline.
  std::unique_lock lock(shard.mutex);
  const auto [holder, is_first] = shard.holders.try_emplace(name);
  if (is_first) {
    lock.unlock();
    co_return Turn(*this, std::move(name));
  }
  Waiters& waiters = holder->second;
  auto initiate = [&waiters, &lock](auto handler) {
    auto loop = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                    boost::asio::execution::outstanding_work.tracked);
    // std::function wants to copy; the handler only moves.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    waiters.emplace_back(
        [shared, loop = std::move(loop)] { boost::asio::post(loop, std::move(*shared)); });
    lock.unlock();
  };
  const boost::asio::use_awaitable_t<> token;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      std::move(initiate), token);
  co_return Turn(*this, std::move(name));
}

void Turns::give_back(const std::string& name) {
  Shard& shard = shard_of(name);
  std::function<void()> resume_next;
  {
    const std::lock_guard lock(shard.mutex);
    const auto holder = shard.holders.find(name);
    if (holder->second.empty()) {
      shard.holders.erase(holder);
      return;
    }
    resume_next = std::move(holder->second.front());
    holder->second.pop_front();
  }
  resume_next();
}

}  // namespace flowstore
