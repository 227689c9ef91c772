// EventLoop: one thread, its sockets, and what they share.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/task.h"
#include "http/handler.h"
#include "http/limits.h"
#include "http/observer.h"
#include "http/piece_queue.h"

namespace flowstore::http {

class Connection;
class ServerTls;
struct RequestMemory;

// What every session of a server works with. The references outlive the loops.
struct Environment {
  Limits limits;
  Handler& handler;
  Observer& observer;
  BlockingPool& disk;
  const Clock& clock;
  std::atomic<std::uint64_t> next_request_id{1};
  ServerTls* tls = nullptr;  // null: in the clear
};

// A thread that runs an io_context and looks after its connections once a second: deadlines are
// swept, not timed one by one, because re-arming a timer for every request costs a quarter of the
// throughput; and clients that have left while an answer is made are found then. Everything but the
// marked functions is called on the thread itself.
class EventLoop {
 public:
  explicit EventLoop(Environment& environment);
  ~EventLoop();

  void start();  // from the thread that made the loop
  boost::asio::io_context& context() noexcept { return context_; }  // any thread
  Executor executor() noexcept { return context_.get_executor(); }  // any thread
  std::size_t connections() const noexcept {                        // any thread
    return connection_count_.load(std::memory_order_relaxed);
  }
  // When it last looked after its connections, which it does every second. Any thread.
  Clock::Instant last_sweep() const noexcept {
    return Clock::Instant(Clock::Duration(last_sweep_.load(std::memory_order_relaxed)));
  }
  // Counts a connection that was accepted for this loop and is on its way to it. Any thread.
  void expect_connection() noexcept { connection_count_.fetch_add(1, std::memory_order_relaxed); }
  void forget_connection() noexcept { connection_count_.fetch_sub(1, std::memory_order_relaxed); }

  // Idle connections close at once, the others after their answer. Any thread.
  void drain();
  // Breaks off every connection. Any thread.
  void abort();
  // Ends the thread, whatever still runs. Any thread but its own.
  void stop();

  bool is_draining() const noexcept { return is_draining_; }
  Environment& environment() noexcept { return environment_; }

  // The time of the last sweep: at most about a second old, and free.
  Clock::Instant coarse_now() const noexcept { return coarse_now_; }
  // "Sun, 06 Nov 1994 08:49:37 GMT", made once a second, and by date_of().
  std::string_view date() const noexcept { return date_; }
  // The same text for when something has happened, and now's for what is still to come; date() is
  // no earlier afterwards.
  std::string date_of(std::chrono::system_clock::time_point time);

  // A place of at least this size to put an answer together; valid until the next suspension.
  std::span<char> scratch(std::size_t size) {
    if (scratch_.size() < size) scratch_.resize(size);
    return scratch_;
  }

  // Whoever sends much takes turns here.
  PieceQueue& pieces() noexcept { return pieces_; }

  // Memory for one request; to be given back when its answer is written.
  std::unique_ptr<RequestMemory> lend_memory();
  void take_back(std::unique_ptr<RequestMemory> memory);

  void add(Connection& connection);
  void remove(Connection& connection);

 private:
  Task<> sweep_every_second();
  void refresh_time();
  void refresh_date();

  Environment& environment_;
  std::vector<Connection*> connections_;
  std::atomic<std::size_t> connection_count_{0};
  bool is_draining_ = false;
  Clock::Instant coarse_now_;
  std::atomic<Clock::Duration::rep> last_sweep_{0};
  std::string date_;
  std::chrono::system_clock::time_point end_of_date_;  // of the second that date_ names
  std::vector<char> scratch_;
  std::vector<std::unique_ptr<RequestMemory>> spare_memory_;
  // Below everything that a session uses: sessions that are still suspended die with the context.
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  PieceQueue pieces_;
  std::thread thread_;
};

}  // namespace flowstore::http
