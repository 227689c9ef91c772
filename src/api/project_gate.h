// ProjectGate: how much of the server one project may have at a time.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "base/caller.h"
#include "base/result.h"
#include "base/task.h"
#include "metrics/registry.h"

namespace flowstore::api {

// A project that floods makes only itself wait: so many of its requests are under way, the next
// ones wait in the order in which they came, and what would wait for too long is refused. Projects
// never wait for each other. Safe to use from any thread; must outlive every pass and every wait.
class ProjectGate {
 public:
  struct Bounds {
    std::size_t under_way = 0;                 // of one project; 0: any number
    std::size_t waiting = 1024;                // of one project
    std::chrono::milliseconds patience{2000};  // as long as a context write waits for its database
  };

 private:
  // Somebody in a line. The timer ends when the time is over, or sooner when they are called.
  struct Waiter {
    explicit Waiter(const Executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;  // of the waiter's own thread
    bool is_called = false;           // guarded by the shard's mutex
  };
  struct Line {
    std::size_t under_way = 0;
    std::list<std::shared_ptr<Waiter>> waiters;  // made with every first request: costs nothing
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view project) const noexcept {
      return std::hash<std::string_view>()(project);
    }
  };
  using Lines = std::unordered_map<std::string, Line, Hash, std::equal_to<>>;
  struct Shard {
    std::mutex mutex;
    Lines lines;  // guarded by mutex; only projects with something under way

    Lines::value_type& line_of(std::string_view project);  // needs the mutex
    void give_back(Lines::value_type& line);
  };
  class Place;

 public:
  // The right to be under way. Given back when it dies, on any thread.
  class Pass {
   public:
    Pass() = default;  // where there is no limit
    Pass(Pass&& other) noexcept
        : shard_(std::exchange(other.shard_, nullptr)), line_(other.line_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (shard_ != nullptr) shard_->give_back(*line_);
    }

   private:
    friend class ProjectGate;
    Pass(Shard& shard, Lines::value_type& line) : shard_(&shard), line_(&line) {}

    Shard* shard_ = nullptr;
    Lines::value_type* line_ = nullptr;
  };

  ProjectGate(const Bounds& bounds, metrics::Registry& registry);

  // Waits until the project may have one more request under way. Fails as unavailable when too many
  // wait already or the patience is over, and as aborted when the caller has left. The name and the
  // caller outlive the task.
  Task<Result<Pass>> enter(std::string_view project, const Caller& caller);
  // The same if there is nothing to wait for; nothing otherwise.
  std::optional<Pass> enter_now(std::string_view project);

 private:
  Shard& shard_of(std::string_view project) { return shards_[Hash()(project) % shards_.size()]; }
  Task<Result<Pass>> wait(Place place, const Caller& caller);

  Bounds bounds_;
  metrics::Counter& waits_;
  metrics::Counter& refusals_;
  // Enough that the cores of one machine rarely meet on a mutex that is held for a map look-up.
  std::array<Shard, 64> shards_;
};

}  // namespace flowstore::api
