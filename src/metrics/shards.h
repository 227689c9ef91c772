// Shards: copies of a number, so that cores which count at once do not fight for one cache line.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <sched.h>

namespace flowstore::metrics {

// A fixed number: cores beyond it share, which costs time and no count.
inline constexpr std::size_t kShards = 16;
inline constexpr std::size_t kCacheLine = 64;

// The shard of the core that runs the caller; a hint, as the caller may move at any time. No system
// call. Where the kernel does not tell, all callers get the same.
inline std::size_t current_shard() noexcept {
  return static_cast<std::size_t>(::sched_getcpu()) % kShards;
}

template <class Number>
struct alignas(kCacheLine) Cell {
  std::atomic<Number> value{0};
};

}  // namespace flowstore::metrics
