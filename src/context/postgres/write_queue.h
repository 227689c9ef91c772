// WriteQueue: what waits to be written, in the order of each project.

#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "context/postgres/write.h"

namespace flowstore::context::postgres {

// One write of a project is out at a time; the others wait their turn here, in order, and nowhere
// else. Projects take turns. Used on one thread; refers to its writes.
class WriteQueue {
 public:
  // Behind the other writes of the project.
  void add(Write& write);

  // Whole projects: those of which a write could go out.
  std::size_t ready() const noexcept { return ready_.size(); }
  std::size_t waiting() const noexcept { return waiting_; }

  // At most `most` writes, each of another project, together not longer than `bytes`; at least one,
  // if any is ready. One that must be single comes alone.
  std::vector<Write*> take(std::size_t most, std::size_t bytes);

  // The write is through: the next one of its project may go.
  void finish(const Write& write);
  // The write goes first once more.
  void put_back(Write& write);

  // Takes out what `is_over` says, and hands it to `drop`.
  void drop_if(const std::function<bool(const Write&)>& is_over,
               const std::function<void(Write&)>& drop);

 private:
  struct Line {
    std::deque<Write*> writes;
    bool is_out = false;    // one of its writes is being written
    bool is_ready = false;  // stands in ready_
  };

  void make_ready(const std::string& project, Line& line);

  std::unordered_map<std::string, Line> lines_;
  std::deque<std::string> ready_;
  std::size_t waiting_ = 0;
};

}  // namespace flowstore::context::postgres
