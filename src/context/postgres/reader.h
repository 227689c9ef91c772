// Reader: brings reads and connections together.

#pragma once

#include <deque>

#include "base/caller.h"
#include "base/log.h"
#include "base/result.h"
#include "base/task.h"
#include "context/postgres/pool.h"

namespace flowstore::context::postgres {

// Reads share connections: several are under way on each, so that many clients need few. Used on
// one thread.
class Reader {
 public:
  // Who asks, and for how long. No caller: somebody who never leaves.
  struct Asker {
    Asker(const Caller* who, Instant until) : caller(who), deadline(until) {}

    bool has_left() const noexcept { return caller != nullptr && caller->has_left(); }

    const Caller* caller;
    Instant deadline;
  };

  // Both must outlive this.
  Reader(Pool& pool, Log& log) : pool_(pool), log_(log) {}

  // Runs statements that change nothing, once more where that helps. Answers within the deadline.
  Task<Result<std::vector<Rows>>> read(const Pipeline& pipeline, Asker asker);

  // Sends what can be sent. Called when something may have changed.
  void pump();

  // Lets go of what nobody waits for any more. Called now and then.
  void look_after(Instant now);

 private:
  struct Waiting {
    Waiting(const Pipeline& what, Asker who) : pipeline(what), asker(who) {}

    const Pipeline& pipeline;
    Asker asker;
    Connection::Flight flight;
  };

  Task<Answer> read_once(const Pipeline& pipeline, Asker asker);

  Pool& pool_;
  Log& log_;
  std::deque<Waiting*> waiting_;
};

}  // namespace flowstore::context::postgres
