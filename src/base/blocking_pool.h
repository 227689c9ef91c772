// BlockingPool: threads for calls that block, so that no event loop ever waits for a disk.

#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/offload.h"
#include "base/task.h"

namespace flowstore {

// A fixed number of threads with one queue. Safe to use from any thread; must outlive every task
// that runs something on it.
class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads) : pool_(threads) {}

  // Runs `work` on a thread of the pool and resumes the caller on its own executor with the result.
  // What `work` throws is thrown at the caller. `work` may refer to the caller's locals: the caller
  // is suspended meanwhile.
  template <class Work>
  Task<std::invoke_result_t<Work&>> run(Work work) {
    using Value = std::invoke_result_t<Work&>;
    std::optional<Value> value;
    std::exception_ptr thrown;
    const OffloadedWork offloaded;
    auto job = [&]() noexcept {
      try {
        value.emplace(work());
      } catch (...) {
        thrown = std::current_exception();
      }
    };
    auto initiate = [this, &job](auto handler) {
      auto loop = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                      boost::asio::execution::outstanding_work.tracked);
      auto step = [&job, loop = std::move(loop), handler = std::move(handler)]() mutable {
        job();
        boost::asio::post(loop, std::move(handler));
      };
      boost::asio::post(pool_, std::move(step));
    };
    using Token = boost::asio::use_awaitable_t<>;
    co_await boost::asio::async_initiate<Token, void()>(std::move(initiate), token_);
    if (thrown) std::rethrow_exception(thrown);
    co_return *std::move(value);
  }

  // The same for work that blocks nobody and is often short: unless `is_long` it runs here and now.
  template <class Work>
  Task<std::invoke_result_t<Work&>> run_if(bool is_long, Work work) {
    if (!is_long) co_return work();
    co_return co_await run(std::move(work));
  }

  // Waits for all work that was asked for. Nothing may be asked for afterwards.
  void join() { pool_.join(); }

 private:
  boost::asio::thread_pool pool_;
  boost::asio::use_awaitable_t<> token_;
};

}  // namespace flowstore
