#include "base/offload.h"

#include <atomic>
#include <thread>

#include <boost/asio/post.hpp>

namespace flowstore {
namespace {

// Whether work of another thread is seen a moment earlier or later does not matter.
std::atomic<int> pieces{0};
thread_local bool is_yield_posted = false;

bool has_offloaded_work() noexcept { return pieces.load(std::memory_order_relaxed) > 0; }

}  // namespace

OffloadedWork::OffloadedWork() noexcept { pieces.fetch_add(1, std::memory_order_relaxed); }

OffloadedWork::~OffloadedWork() { pieces.fetch_sub(1, std::memory_order_relaxed); }

void yield_to_offloaded_work() {
  if (has_offloaded_work()) std::this_thread::yield();
}

void yield_soon_to_offloaded_work(boost::asio::io_context& loop) {
  if (is_yield_posted || !has_offloaded_work()) return;
  is_yield_posted = true;
  boost::asio::post(loop, [] {
    is_yield_posted = false;
    yield_to_offloaded_work();
  });
}

}  // namespace flowstore
