#include "context/sqlite/write_queue.h"

#include <algorithm>
#include <utility>

namespace flowstore::context::sqlite {

bool WriteQueue::add(Job& job) {
  const auto found = lines_.find(job.project);
  const std::size_t jobs = found == lines_.end() ? 0 : found->second.jobs.size();
  const std::size_t bytes = found == lines_.end() ? 0 : found->second.bytes;
  const bool is_full = size_ >= bounds_.jobs || (size_ > 0 && bytes_ + job.bytes > bounds_.bytes);
  const bool is_share_full =
      jobs >= bounds_.jobs_of_project || (jobs > 0 && bytes + job.bytes > bounds_.bytes_of_project);
  if (is_full || is_share_full) return false;

  const auto line = found == lines_.end() ? lines_.emplace(job.project, Line()).first : found;
  if (line->second.jobs.empty()) turns_.push_back(&*line);
  line->second.jobs.push_back(&job);
  line->second.bytes += job.bytes;
  ++size_;
  bytes_ += job.bytes;
  return true;
}

void WriteQueue::take(Jobs& taken, std::size_t jobs, std::size_t bytes) {
  std::size_t sum = 0;
  while (!turns_.empty() && taken.size() < jobs) {
    Lines::value_type* const next = turns_.front();
    Line& line = next->second;
    Job* const job = line.jobs.front();
    if (!taken.empty() && sum + job->bytes > bytes) return;  // first the next time
    sum += job->bytes;
    taken.push_back(job);
    line.jobs.pop_front();
    forget(line, *job);
    turns_.pop_front();
    if (line.jobs.empty()) {
      lines_.erase(lines_.find(next->first));
    } else {
      turns_.push_back(next);
    }
  }
}

void WriteQueue::take_late(Clock::Instant now, Jobs& late) {
  const auto is_late = [now](const Job* job) {
    return now >= job->deadline || job->caller.has_left();
  };
  for (auto& [project, line] : lines_) {
    const auto first = std::stable_partition(line.jobs.begin(), line.jobs.end(),
                                             [&](const Job* job) { return !is_late(job); });
    for (auto job = first; job != line.jobs.end(); ++job) {
      forget(line, **job);
      late.push_back(*job);
    }
    line.jobs.erase(first, line.jobs.end());
  }
  std::erase_if(turns_, [](const auto* line) { return line->second.jobs.empty(); });
  std::erase_if(lines_, [](const auto& line) { return line.second.jobs.empty(); });
}

void WriteQueue::forget(Line& line, const Job& job) {
  line.bytes -= job.bytes;
  --size_;
  bytes_ -= job.bytes;
}

}  // namespace flowstore::context::sqlite
