// Blocking calls, on the thread that is there for them.
#include "postgres/canceller.h"

#include <array>
#include <utility>

#include <libpq-fe.h>

namespace flowstore::postgres {
namespace {

// A pool has fewer connections than this; more waiting means that the server is out of reach.
constexpr std::size_t kMostWaiting = 64;

}  // namespace

void Canceller::Free::operator()(pg_cancel* request) const noexcept { PQfreeCancel(request); }

Canceller::Canceller() : thread_([this] { run(); }) {}

Canceller::~Canceller() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    requests_.clear();
  }
  changed_.notify_one();
  thread_.join();
}

void Canceller::cancel(pg_conn* connection) {
  Request request(PQgetCancel(connection));
  if (!request) return;
  {
    const std::lock_guard lock(mutex_);
    if (requests_.size() >= kMostWaiting) return;
    requests_.push_back(std::move(request));
  }
  changed_.notify_one();
}

void Canceller::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_ending_ || !requests_.empty(); });
    if (is_ending_) return;
    const Request request = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    std::array<char, 256> reason{};
    PQcancel(request.get(), reason.data(), static_cast<int>(reason.size()));
    lock.lock();
  }
}

}  // namespace flowstore::postgres
