// ByteBudget: how much memory bodies on their way to the store may take.

#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "base/task.h"

namespace flowstore::files::s3 {

// Safe to use from any thread.
class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t most) : left_(static_cast<std::int64_t>(most)) {}

  // Bytes that are given back when it dies.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_.give_back(bytes_); }

    // Has at least so many bytes afterwards. While there are too few, waits for others to be done,
    // which holds up the client that sends; unavailable if that takes longer than it would wait.
    Task<Status> grow_to(std::uint64_t bytes);

   private:
    ByteBudget& budget_;
    std::uint64_t bytes_ = 0;
  };

 private:
  bool take(std::uint64_t bytes) noexcept;
  void give_back(std::uint64_t bytes) noexcept {
    left_.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  }

  std::atomic<std::int64_t> left_;
};

}  // namespace flowstore::files::s3
