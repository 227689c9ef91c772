#include "base/turns.h"

#include <utility>

namespace flowstore {

Turn::Turn(Turn&& other) noexcept
    : turns_(std::exchange(other.turns_, nullptr)), name_(std::move(other.name_)) {}

Turn::~Turn() {
  if (turns_ != nullptr) turns_->give_back(name_);
}

Turns::Shard& Turns::shard_of(std::string_view name) {
  return shards_[Hash()(name) % shards_.size()];
}

Task<Turn> Turns::take(std::string name) {
  Shard& shard = shard_of(name);
  // The lock is released before the task is suspended: the handler is queued under it, and whoever
  // gives the turn back resumes the handler through its executor, never inline.
  std::unique_lock lock(shard.mutex);
  const auto [holder, is_first] = shard.holders.try_emplace(name);
  if (is_first) {
    lock.unlock();
    co_return Turn(*this, std::move(name));
  }
  Waiters& waiters = holder->second;
  auto begin = [&waiters, &lock](Resume resume) {
    waiters.push_back(std::move(resume));
    lock.unlock();
  };
  co_await suspend(std::move(begin));
  co_return Turn(*this, std::move(name));
}

void Turns::give_back(const std::string& name) {
  Shard& shard = shard_of(name);
  Resume resume_next;
  {
    const std::lock_guard lock(shard.mutex);
    const auto holder = shard.holders.find(name);
    if (holder->second.empty()) {
      shard.holders.erase(holder);
      return;
    }
    resume_next = std::move(holder->second.front());
    holder->second.pop_front();
  }
  resume_next();
}

}  // namespace flowstore
