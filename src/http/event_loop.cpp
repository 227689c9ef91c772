#include "http/event_loop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/connection.h"
#include "http/date.h"
#include "http/request_memory.h"

namespace flowstore::http {
namespace {

// Requests that a loop keeps memory for when they are over, about 20 KiB each.
constexpr std::size_t kSpareMemory = 64;

}  // namespace

EventLoop::EventLoop(Environment& environment)
    : environment_(environment),
      context_(1),
      work_(boost::asio::make_work_guard(context_)),
      timer_(context_),
      pieces_(context_) {
  refresh_time();
}

EventLoop::~EventLoop() { stop(); }

void EventLoop::start() {
  spawn(executor(), "sweep", sweep_every_second());
  thread_ = std::thread([this] { context_.run(); });
}

void EventLoop::drain() {
  boost::asio::post(context_, [this] {
    is_draining_ = true;
    for (Connection* const connection : connections_) {
      if (connection->phase() == Connection::Phase::idle) connection->cancel();
    }
  });
}

void EventLoop::abort() {
  boost::asio::post(context_, [this] {
    is_draining_ = true;
    for (Connection* const connection : connections_) connection->abort();
  });
}

void EventLoop::stop() {
  if (!thread_.joinable()) return;
  context_.stop();
  thread_.join();
}

std::unique_ptr<RequestMemory> EventLoop::lend_memory() {
  if (spare_memory_.empty()) return std::make_unique<RequestMemory>(environment_.limits);
  auto memory = std::move(spare_memory_.back());
  spare_memory_.pop_back();
  return memory;
}

void EventLoop::take_back(std::unique_ptr<RequestMemory> memory) {
  if (spare_memory_.size() == kSpareMemory) return;
  memory->clear();
  spare_memory_.push_back(std::move(memory));
}

void EventLoop::add(Connection& connection) {
  connection.set_index(connections_.size());
  connections_.push_back(&connection);
}

void EventLoop::remove(Connection& connection) {
  // The last one takes the free place, so that opening and closing cost the same however many
  // connections there are.
  Connection* const last = connections_.back();
  connections_[connection.index()] = last;
  last->set_index(connection.index());
  connections_.pop_back();
  forget_connection();
}

Task<> EventLoop::sweep_every_second() {
  while (true) {
    timer_.expires_after(std::chrono::seconds(1));
    co_await timer_.async_wait(boost::asio::use_awaitable);
    refresh_time();
    for (Connection* const connection : connections_) {
      if (connection->deadline() <= coarse_now_) connection->expire();
      connection->look_for_caller();
    }
  }
}

void EventLoop::refresh_time() {
  coarse_now_ = environment_.clock.now();
  last_sweep_.store(coarse_now_.time_since_epoch().count(), std::memory_order_relaxed);
  refresh_date();
}

void EventLoop::refresh_date() {
  const auto now = std::chrono::floor<std::chrono::seconds>(environment_.clock.wall());
  date_ = format_date(now);
  end_of_date_ = now + std::chrono::seconds(1);
}

std::string EventLoop::date_of(std::chrono::system_clock::time_point time) {
  if (time >= end_of_date_) refresh_date();
  return time < end_of_date_ ? format_date(time) : date_;
}

}  // namespace flowstore::http
