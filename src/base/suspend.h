// suspend: waiting for a call from anywhere.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/suspended_tasks.h"
#include "base/task.h"

namespace flowstore {

// Lets the one who waits go on, on their own executor and never inline; nothing if that has ended.
// To be called once, on any thread; the executor keeps running until then. Dropped uncalled, it
// takes the waiting task along.
using Resume = std::function<void()>;

// A task as its coroutine's handler, which goes on on `loop`.
template <class Handler, class Loop>
class SuspendedHandler final : public Suspended {
 public:
  SuspendedHandler(Handler&& handler, Loop&& loop)
      : held_(std::in_place, std::move(handler), std::move(loop)) {}

 private:
  struct Held {
    Held(Handler&& given, Loop&& own) : handler(std::move(given)), loop(std::move(own)) {}
    Handler handler;
    Loop loop;
  };
  void post() override {
    boost::asio::post(held_->loop, std::move(held_->handler));
    held_.reset();
  }
  void drop() noexcept override { held_.reset(); }

  std::optional<Held> held_;
};

// Suspends the caller and then calls `begin(Resume)`, which says somewhere that there is somebody
// to wake. The caller's executor has one thread.
template <class Begin>
Task<> suspend(Begin begin) {
  auto initiate = [begin = std::move(begin)](auto handler) mutable {
    auto loop = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                    boost::asio::execution::outstanding_work.tracked);
    boost::asio::execution_context& context =
        boost::asio::query(loop, boost::asio::execution::context);
    auto& tasks = boost::asio::use_service<SuspendedTasks>(context);
    using Waiting = SuspendedHandler<decltype(handler), decltype(loop)>;
    auto task = std::make_shared<Waiting>(std::move(handler), std::move(loop));
    // std::function wants to copy.
    auto call = std::make_shared<SuspendedTasks::Call>(tasks, std::move(task));
    begin(Resume([call = std::move(call)] { (*call)(); }));
  };
  const boost::asio::use_awaitable_t<> token;
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      std::move(initiate), token);
}

}  // namespace flowstore
