#include "files/s3/byte_budget.h"

#include <algorithm>
#include <chrono>

#include "base/pause.h"

namespace flowstore::files::s3 {
namespace {

// Taken at a time: a share is asked for with every piece of a body.
constexpr std::uint64_t kStep = 256U << 10;
// Asking again now and then costs nothing worth a queue: it is how a server under far too much load
// slows its clients down.
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::milliseconds kPatience{2000};

Error too_many() {
  return {ErrorKind::unavailable, "storage_busy",
          "Too many uploads at the same time; try again in a moment"};
}

}  // namespace

Task<Status> ByteBudget::Share::grow_to(std::uint64_t bytes) {
  if (bytes <= bytes_) co_return Status();
  const std::uint64_t more = std::max(bytes - bytes_, kStep);
  for (auto waited = std::chrono::milliseconds(0); !budget_.take(more); waited += kLook) {
    if (waited >= kPatience) co_return too_many();
    co_await sleep_for(kLook);
  }
  bytes_ += more;
  co_return Status();
}

bool ByteBudget::take(std::uint64_t bytes) noexcept {
  const auto wanted = static_cast<std::int64_t>(bytes);
  std::int64_t left = left_.load(std::memory_order_relaxed);
  do {
    if (left < wanted) return false;
  } while (!left_.compare_exchange_weak(left, left - wanted, std::memory_order_relaxed));
  return true;
}

}  // namespace flowstore::files::s3
