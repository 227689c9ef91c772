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

  // Projects whose next write could go out, with others or as a single one.
  std::size_t ready() const noexcept { return ready_.size(); }
  std::size_t singles() const noexcept { return singles_.size(); }
  std::size_t waiting() const noexcept { return waiting_; }

  // At most `most` writes that may go together, each of another project, and not longer than
  // `bytes` in all; at least one, if any is ready.
  std::vector<Write*> take(std::size_t most, std::size_t bytes);
  // One that must be single, if any is ready.
  std::vector<Write*> take_single();

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
    bool is_ready = false;  // stands in ready_ or singles_
  };

  void make_ready(const std::string& project, Line& line);
  Write* take_from(Line& line);

  std::unordered_map<std::string, Line> lines_;
  std::deque<std::string> ready_;
  std::deque<std::string> singles_;
  std::size_t waiting_ = 0;
};

}  // namespace flowstore::context::postgres
