#include "api/project_gate.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore::api {
namespace {

using std::chrono::milliseconds;

// How often those who wait are looked at for having left; the server notices it once a second.
constexpr milliseconds kLook{500};

Error busy() {
  return Error(ErrorKind::unavailable, "project_busy",
               "Too many requests of this project are under way");
}

}  // namespace

ProjectGate::Lines::value_type& ProjectGate::Shard::line_of(std::string_view project) {
  const auto known = lines.find(project);
  return known != lines.end() ? *known : *lines.try_emplace(std::string(project)).first;
}

// Calls the first who waits, whose thread ends the wait: a timer belongs to its thread. The count
// stays as it is then, so that nobody slips in between.
void ProjectGate::Shard::give_back(Lines::value_type& line) {
  std::shared_ptr<Waiter> next;
  {
    const std::lock_guard lock(mutex);
    auto& [under_way, waiters] = line.second;
    if (waiters.empty()) {
      if (--under_way == 0) lines.erase(lines.find(line.first));
      return;
    }
    next = std::move(waiters.front());
    waiters.pop_front();
    next->is_called = true;
  }
  const auto executor = next->timer.get_executor();
  boost::asio::post(executor, [next = std::move(next)] { next->timer.cancel(); });
}

// A place in the line of a project. Left when it dies, also where the task is dropped while it
// waits; then a call that came meanwhile goes to the next.
class ProjectGate::Place {
 public:
  // The waiter stands in the line already.
  Place(Shard& shard, Lines::value_type& line, std::shared_ptr<Waiter> waiter)
      : shard_(&shard), line_(&line), waiter_(std::move(waiter)) {}
  Place(Place&& other) noexcept = default;
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (!waiter_) return;
    {
      const std::lock_guard lock(shard_->mutex);
      if (!waiter_->is_called) {
        std::erase(line_->second.waiters, waiter_);
        return;
      }
    }
    shard_->give_back(*line_);
  }

  boost::asio::steady_timer& timer() noexcept { return waiter_->timer; }

  // The pass, if the waiter was called; the place is gone then.
  std::optional<Pass> take_call() {
    {
      const std::lock_guard lock(shard_->mutex);
      if (!waiter_->is_called) return std::nullopt;
    }
    waiter_.reset();
    return Pass(*shard_, *line_);
  }

 private:
  Shard* shard_;
  Lines::value_type* line_;  // exists as long as somebody waits in it
  std::shared_ptr<Waiter> waiter_;
};

ProjectGate::ProjectGate(const Bounds& bounds, metrics::Registry& registry)
    : bounds_(bounds),
      waits_(registry.counter("flowstore_project_waits_total",
                              "Requests that waited for others of their project.")),
      refusals_(registry.counter("flowstore_project_refusals_total",
                                 "Requests refused because too many of their project waited, or "
                                 "for too long.")) {}

std::optional<ProjectGate::Pass> ProjectGate::enter_now(std::string_view project) {
  if (bounds_.under_way == 0) return Pass();
  Shard& shard = shard_of(project);
  const std::lock_guard lock(shard.mutex);
  auto& line = shard.line_of(project);
  if (line.second.under_way >= bounds_.under_way) return std::nullopt;
  ++line.second.under_way;
  return Pass(shard, line);
}

Task<Result<ProjectGate::Pass>> ProjectGate::enter(std::string_view project, const Caller& caller) {
  if (bounds_.under_way == 0) co_return Pass();
  const Executor executor = co_await boost::asio::this_coro::executor;
  Shard& shard = shard_of(project);
  std::unique_lock lock(shard.mutex);
  auto& line = shard.line_of(project);
  auto& [under_way, waiters] = line.second;
  if (under_way < bounds_.under_way) {
    ++under_way;
    co_return Pass(shard, line);
  }
  if (waiters.size() >= bounds_.waiting) {
    refusals_.add();
    co_return busy();
  }
  waiters.push_back(std::make_shared<Waiter>(executor));
  Place place(shard, line, waiters.back());
  lock.unlock();
  waits_.add();
  co_return co_await wait(std::move(place), caller);
}

Task<Result<ProjectGate::Pass>> ProjectGate::wait(Place place, const Caller& caller) {
  const boost::asio::use_awaitable_t<> token;
  for (milliseconds left = bounds_.patience; left > milliseconds(0); left -= kLook) {
    place.timer().expires_after(std::min(left, kLook));
    boost::system::error_code ignored;
    co_await place.timer().async_wait(boost::asio::redirect_error(token, ignored));
    auto pass = place.take_call();
    if (pass) co_return *std::move(pass);
    if (caller.has_left()) co_return Error(ErrorKind::aborted, "", "the client has left");
  }
  refusals_.add();
  co_return busy();
}

}  // namespace flowstore::api
