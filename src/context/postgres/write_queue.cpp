#include "context/postgres/write_queue.h"

#include <algorithm>
#include <utility>

namespace flowstore::context::postgres {

void WriteQueue::make_ready(const std::string& project, Line& line) {
  if (line.is_out || line.is_ready || line.writes.empty()) return;
  line.is_ready = true;
  (line.writes.front()->is_single ? singles_ : ready_).push_back(project);
}

void WriteQueue::add(Write& write) {
  Line& line = lines_[write.key.project];
  line.writes.push_back(&write);
  ++waiting_;
  make_ready(write.key.project, line);
}

Write* WriteQueue::take_from(Line& line) {
  Write* write = line.writes.front();
  line.writes.pop_front();
  line.is_out = true;
  line.is_ready = false;
  --waiting_;
  return write;
}

std::vector<Write*> WriteQueue::take(std::size_t most, std::size_t bytes) {
  std::vector<Write*> taken;
  std::size_t sum = 0;
  for (auto project = ready_.begin(); project != ready_.end() && taken.size() < most;) {
    Line& line = lines_.at(*project);
    const std::size_t more = line.writes.front()->bytes();
    // What does not fit stays where it is: at the front, the sooner the longer it waits.
    if (!taken.empty() && sum + more > bytes) {
      ++project;
      continue;
    }
    sum += more;
    taken.push_back(take_from(line));
    project = ready_.erase(project);
  }
  return taken;
}

std::vector<Write*> WriteQueue::take_single() {
  if (singles_.empty()) return {};
  Line& line = lines_.at(singles_.front());
  singles_.pop_front();
  return {take_from(line)};
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
    if (kept.size() == line.writes.size()) {
      ++at;
      continue;
    }
    line.writes = std::move(kept);
    if (std::exchange(line.is_ready, false)) {  // the next one may be of the other kind
      std::erase(ready_, at->first);
      std::erase(singles_, at->first);
      make_ready(at->first, line);
    }
    at = line.writes.empty() && !line.is_out ? lines_.erase(at) : std::next(at);
  }
}

}  // namespace flowstore::context::postgres
