// Runner: brings statements and connections together.

#pragma once

#include <deque>

#include "base/caller.h"
#include "base/task.h"
#include "postgres/pool.h"

namespace flowstore::postgres {

// Pipelines share connections: several are under way on each, so that many callers need few. Each
// is a transaction of its own. Used on one thread.
class Runner {
 public:
  // Who asks, and for how long. No caller: somebody who never leaves.
  struct Asker {
    Asker(const Caller* who, Instant until) : caller(who), deadline(until) {}

    bool has_left() const noexcept { return caller != nullptr && caller->has_left(); }

    const Caller* caller;
    Instant deadline;
  };

  // The pool must outlive this.
  explicit Runner(Pool& pool) : pool_(pool) {}

  // Runs statements that do no harm if they are run twice: they are, where that helps. Answers
  // within the deadline. A caller who has left gets trouble, too.
  Task<Answer> run(const Pipeline& pipeline, Asker asker);

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

  Task<Answer> run_once(const Pipeline& pipeline, Asker asker);

  Pool& pool_;
  std::deque<Waiting*> waiting_;
};

}  // namespace flowstore::postgres
