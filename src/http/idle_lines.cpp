#include "http/idle_lines.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace flowstore::http {

using std::chrono::steady_clock;

// Asking the kernel and closing connections are done without the lock.
std::optional<Line> IdleLines::take(const Origin& origin) {
  const auto old = take_old(steady_clock::now());
  while (true) {
    auto line = take_latest(origin);
    if (!line || is_quiet(*line)) return line;
  }
}

std::optional<Line> IdleLines::take_latest(const Origin& origin) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                                  [&origin](const Idle& idle) { return idle.origin == origin; });
  if (found == idle_.rend()) return std::nullopt;
  Line line = std::move(found->line);
  idle_.erase(std::next(found).base());
  return line;
}

void IdleLines::keep(const Origin& origin, Line line) {
  const Instant now = steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    idle_.emplace_back(origin, std::move(line), now);
  }
  const auto old = take_old(now);
}

std::vector<IdleLines::Idle> IdleLines::take_old(Instant now) {
  std::vector<Idle> old;
  const std::lock_guard lock(mutex_);
  const auto is_young = [&](const Idle& idle) { return now - idle.since < timeout_; };
  auto end = std::find_if(idle_.begin(), idle_.end(), is_young);
  if (idle_.size() > most_) {
    end = std::max(end, std::prev(idle_.end(), static_cast<std::ptrdiff_t>(most_)));
  }
  std::move(idle_.begin(), end, std::back_inserter(old));
  idle_.erase(idle_.begin(), end);
  return old;
}

void IdleLines::drop(const Origin& origin) {
  while (take_latest(origin)) continue;
}

std::size_t IdleLines::count() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

}  // namespace flowstore::http
