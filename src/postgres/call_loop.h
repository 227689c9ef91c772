// CallLoop: a thread with an event loop that others call into.

#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/task.h"
#include "postgres/connection.h"

namespace flowstore::postgres {

// What lives on the loop needs no locks. Calls come in from any thread and go back to it. Deadlines
// are looked after while somebody is here.
class CallLoop {
 public:
  CallLoop();
  ~CallLoop();
  CallLoop(const CallLoop&) = delete;
  CallLoop& operator=(const CallLoop&) = delete;

  boost::asio::io_context& loop() noexcept { return loop_; }

  // Begins to run. `look_after` is called on the loop, now and then.
  void start(std::function<void()> first, std::function<void(Instant)> look_after);

  // No call is begun any more. `wind_up` is called on the loop: it sees to it that those under way
  // end. Returns when they have.
  void stop(std::function<void()> wind_up);

  // Runs a task on the loop and resumes the caller on its own executor with the result; nothing if
  // the loop has been stopped. `work` may refer to the caller's locals: the caller is suspended.
  template <class Work>
  auto call(Work& work) -> Task<std::optional<typename std::invoke_result_t<Work&>::value_type>> {
    std::optional<typename std::invoke_result_t<Work&>::value_type> outcome;
    if (!enter()) co_return outcome;
    auto visit = [&]() -> Task<> {
      const Visit here(*this);
      tick();
      outcome.emplace(co_await work());
    };
    const boost::asio::use_awaitable_t<> token;
    co_await boost::asio::co_spawn(loop_.get_executor(), std::move(visit), token);
    co_return outcome;
  }

 private:
  // A call that is under way, from enter() on.
  class Visit {
   public:
    explicit Visit(CallLoop& loop) : loop_(loop) {}
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() { loop_.leave(); }

   private:
    CallLoop& loop_;
  };

  bool enter();
  void leave();
  void end_if_empty();
  void tick();
  bool is_anybody_here();

  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keeps_running_;
  std::mutex mutex_;
  std::size_t calls_ = 0;    // guarded by mutex_
  bool is_stopped_ = false;  // guarded by mutex_
  std::function<void(Instant)> look_after_;
  boost::asio::steady_timer timer_;
  bool is_ticking_ = false;
  std::thread thread_;
};

}  // namespace flowstore::postgres
