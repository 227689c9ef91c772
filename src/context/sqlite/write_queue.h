// WriteQueue: the writes that wait for their turn.

#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/caller.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/suspend.h"
#include "context/sqlite/table.h"

namespace flowstore::context::sqlite {

// What a request wants done with the table. Runs on the writer's thread, perhaps more than once.
using Change = std::function<Table::Outcome(Table& table)>;

// One write. Lives in the frame of the coroutine that waits for it, which goes on as soon as
// resume() is called: nothing may touch the job afterwards.
struct Job {
  Job(const Caller& asking, const std::string& of_project, std::size_t size, Change what)
      : caller(asking), project(of_project), bytes(size), change(std::move(what)) {}

  const Caller& caller;
  const std::string& project;
  std::size_t bytes;  // about what it keeps in memory
  Change change;
  Clock::Instant deadline;
  Status outcome;
  Resume resume;
};

using Jobs = std::vector<Job*>;

// First come, first served within a project; the projects take turns, so that one that asks for
// much makes only itself wait. Not safe to use from several threads.
class WriteQueue {
 public:
  // What may wait, in all and of one project.
  struct Bounds {
    // About two seconds of a slow disk, and no more memory than this.
    std::size_t jobs = 4096;
    std::size_t bytes = std::size_t{128} << 20U;
    // A project that waits for itself leaves room for the others.
    std::size_t jobs_of_project = 1024;
    std::size_t bytes_of_project = std::size_t{32} << 20U;
  };

  WriteQueue() = default;
  explicit WriteQueue(const Bounds& bounds) : bounds_(bounds) {}

  // False if there is no room. One job of a project always has room in its project's share.
  bool add(Job& job);

  // Moves the next jobs to the end of `taken`: until it holds `jobs` of them, or `bytes` together;
  // one at least, if any waits.
  void take(Jobs& taken, std::size_t jobs, std::size_t bytes);

  // Moves those whose time is over, or whose callers have left, to the end of `late`.
  void take_late(Clock::Instant now, Jobs& late);

  std::size_t size() const noexcept { return size_; }

 private:
  struct Line {
    std::deque<Job*> jobs;
    std::size_t bytes = 0;
  };
  using Lines = std::unordered_map<std::string, Line>;

  void forget(Line& line, const Job& job);

  Bounds bounds_;
  Lines lines_;                           // by project; none is empty
  std::deque<Lines::value_type*> turns_;  // every line once; an element of a map stays where it is
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace flowstore::context::sqlite
