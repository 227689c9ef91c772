// Places: how many may do something at a time, and who is next.

#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "base/task.h"

namespace flowstore::http {

// First come, first served. Safe to use from any thread; must outlive every Place. Tasks that wait
// run on executors with one thread at a time.
class Places {
 public:
  explicit Places(std::size_t most) : most_(most), free_(most) {}

  // Given back when it dies, on any thread.
  class Place {
   public:
    Place() = default;  // none
    explicit Place(Places& places) : places_(&places) {}
    Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)) {}
    Place& operator=(Place&& other) noexcept;
    ~Place() { give_back(); }

    explicit operator bool() const noexcept { return places_ != nullptr; }

   private:
    void give_back() noexcept;

    Places* places_ = nullptr;
  };

  // One that is free; none if there is none.
  Place take_now();
  // Waits for one until the deadline; none is free then.
  Task<Place> take(std::chrono::steady_clock::time_point deadline);

  std::size_t taken() const;

 private:
  struct Waiter;
  class Stay;

  // False if there was a place at once.
  bool stand_in_line(const std::shared_ptr<Waiter>& waiter);
  // True if the waiter has got a place meanwhile.
  bool leave_line(const std::shared_ptr<Waiter>& waiter);
  void give_back() noexcept;

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::size_t free_;                             // guarded by mutex_
  std::deque<std::shared_ptr<Waiter>> waiting_;  // guarded by mutex_
};

}  // namespace flowstore::http
