// Turns: who is next, per name.

#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/suspend.h"
#include "base/task.h"

namespace flowstore {

class Turns;

// The right to go first for one name. Given back when it dies, on any thread.
class Turn {
 public:
  Turn(Turn&& other) noexcept;
  Turn& operator=(Turn&&) = delete;
  ~Turn();

 private:
  friend class Turns;
  Turn(Turns& turns, std::string name) : turns_(&turns), name_(std::move(name)) {}

  Turns* turns_;
  std::string name_;
};

// A queue per name: tasks that take the same name go one after the other, in the order in which
// they asked; different names never wait for each other. Waiting suspends the task and blocks no
// thread. Safe to use from any thread; must outlive every Turn. A name costs memory only while
// somebody holds it.
class Turns {
 public:
  Task<Turn> take(std::string name);

 private:
  friend class Turn;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };
  // Present while somebody holds the name; the waiters are resumed in order.
  using Waiters = std::deque<Resume>;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Waiters, Hash, std::equal_to<>> holders;  // guarded by mutex
  };

  Shard& shard_of(std::string_view name);
  void give_back(const std::string& name);

  // Enough that the cores of one machine rarely meet on a mutex that is held for a map look-up.
  std::array<Shard, 64> shards_;
};

}  // namespace flowstore
