// Wake: a task waits until somebody on the same thread wakes it.

#pragma once

#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/task.h"

namespace flowstore::postgres {

// For one waiter at a time, on one thread. Waking before the wait makes the wait return at once.
class Wake {
 public:
  Wake() = default;
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  // Returns after wake(); never runs anything of the waker's.
  Task<> wait() {
    if (!is_awake_) {
      auto initiate = [this](auto handler) {
        waiter_ = std::make_unique<Typed<decltype(handler)>>(std::move(handler));
      };
      using Token = boost::asio::use_awaitable_t<>;
      const Token token;
      co_await boost::asio::async_initiate<const Token, void()>(std::move(initiate), token);
    }
    is_awake_ = false;
  }

  // Resumes the waiter soon, not at once. The Wake may be gone as soon as the waiter has run.
  void wake() {
    is_awake_ = true;
    if (waiter_) std::exchange(waiter_, nullptr)->resume();
  }

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void resume() = 0;
  };
  template <class Handler>
  struct Typed final : Waiter {
    explicit Typed(Handler&& given) : handler(std::move(given)) {}
    void resume() override {
      auto loop = boost::asio::get_associated_executor(handler);
      boost::asio::post(loop, std::move(handler));
    }
    Handler handler;
  };

  bool is_awake_ = false;
  std::unique_ptr<Waiter> waiter_;
};

}  // namespace flowstore::postgres
