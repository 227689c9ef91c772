#include "context/postgres/write_queue.h"

#include <algorithm>
#include <utility>

namespace flowstore::context::postgres {

void WriteQueue::make_ready(const std::string& project, Line& line) {
  if (line.is_out || line.is_ready || line.writes.empty()) return;
  line.is_ready = true;
  ready_.push_back(project);
}

void WriteQueue::add(Write& write) {
  Line& line = lines_[write.key.project];
  line.writes.push_back(&write);
  ++waiting_;
  make_ready(write.key.project, line);
}

std::vector<Write*> WriteQueue::take(std::size_t most, std::size_t bytes) {
  std::vector<Write*> taken;
  std::size_t sum = 0;
  for (auto project = ready_.begin(); project != ready_.end() && taken.size() < most;) {
    Line& line = lines_.at(*project);
    Write* write = line.writes.front();
    // What does not fit stays where it is: at the front, the sooner the longer it waits.
    const bool fits = sum + write->bytes() <= bytes && !write->is_single;
    if (!taken.empty() && !fits) {
      ++project;
      continue;
    }
    sum += write->bytes();
    taken.push_back(write);
    line.writes.pop_front();
    line.is_out = true;
    line.is_ready = false;
    project = ready_.erase(project);
    if (write->is_single) break;
  }
  waiting_ -= taken.size();
  return taken;
}

void WriteQueue::finish(const Write& write) {
  const auto line = lines_.find(write.key.project);
  line->second.is_out = false;
  if (line->second.writes.empty()) {
    lines_.erase(line);
  } else {
    make_ready(write.key.project, line->second);
  }
}

void WriteQueue::put_back(Write& write) {
  Line& line = lines_.at(write.key.project);
  line.writes.push_front(&write);
  line.is_out = false;
  ++waiting_;
  make_ready(write.key.project, line);
}

void WriteQueue::drop_if(const std::function<bool(const Write&)>& is_over,
                         const std::function<void(Write&)>& drop) {
  for (auto at = lines_.begin(); at != lines_.end();) {
    Line& line = at->second;
    std::deque<Write*> kept;
    for (Write* write : line.writes) {
      if (!is_over(*write)) {
        kept.push_back(write);
        continue;
      }
      --waiting_;
      drop(*write);
    }
    line.writes = std::move(kept);
    if (line.writes.empty() && line.is_ready) {
      line.is_ready = false;
      std::erase(ready_, at->first);
    }
    at = line.writes.empty() && !line.is_out ? lines_.erase(at) : std::next(at);
  }
}

}  // namespace flowstore::context::postgres
