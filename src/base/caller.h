// Caller: whoever waits for a result, and whether they still do.

#pragma once

#include <atomic>

namespace flowstore {

// Work for a caller who has left may be given up as long as nothing has been changed. Safe to use
// from any thread; outlives the work that is done for it.
class Caller {
 public:
  bool has_left() const noexcept { return has_left_.load(std::memory_order_relaxed); }
  void leave() noexcept { has_left_.store(true, std::memory_order_relaxed); }

 private:
  std::atomic<bool> has_left_{false};
};

}  // namespace flowstore
