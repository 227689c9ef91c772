#include "files/s3/breaker.h"

#include <algorithm>

namespace flowstore::files::s3 {

bool Breaker::lets_through() {
  const std::lock_guard lock(mutex_);
  if (failures_ < kFailures) return true;
  const auto now = clock_.now();
  if (now < next_trial_) return false;
  next_trial_ = now + pause_;
  return true;
}

void Breaker::succeeded() {
  const std::lock_guard lock(mutex_);
  failures_ = 0;
  pause_ = kShortest;
}

void Breaker::failed() {
  const std::lock_guard lock(mutex_);
  ++failures_;
  if (failures_ < kFailures) return;
  if (failures_ > kFailures) pause_ = std::min(pause_ * 2, kLongest);
  next_trial_ = clock_.now() + pause_;
}

}  // namespace flowstore::files::s3
