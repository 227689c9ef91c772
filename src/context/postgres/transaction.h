// Transaction: writes of different projects, as one change of the database.

#pragma once

#include <optional>
#include <vector>

#include "base/task.h"
#include "context/postgres/database.h"
#include "context/postgres/set_up.h"
#include "context/postgres/write.h"

namespace flowstore::context::postgres {

// One round trip if all writes replace, two if one of them must look first. All of them happen or
// none; a write that is refused (over quota, by its mutation) changes nothing and is answered, and
// the others go on.
class Transaction {
 public:
  struct Outcome {
    Outcome() = default;

    std::optional<Trouble> trouble;  // why nothing was committed, as far as is known
    // COMMIT had been sent. The trouble may then be that its answer was lost.
    bool was_committing = false;
  };

  // Each write is of another project and outlives this. `use_names` as for Connection.
  Transaction(Connection& connection, const Schema& schema, bool use_names,
              std::vector<Write*> writes);

  // Answers the writes. Without trouble, one that has no answer met another program at its row and
  // may be tried again. The connection is free again afterwards, or lost.
  Task<Outcome> run();

 private:
  enum class Action : std::uint8_t { nothing, put, update, insert, remove, remove_many };

  // What becomes of one write.
  struct Step {
    explicit Step(Write& which) : write(&which) {}

    Write* write;
    Action action = Action::nothing;
    NewValues values;               // of an update
    std::vector<std::int64_t> ids;  // of rows to be removed
    std::uint64_t before = 0;       // characters of the row
    bool must_sum = false;          // whether it fits is not known yet
  };

  Connection::Terms terms() const;
  Pipeline begin() const;
  Task<std::optional<Trouble>> look(Pipeline pipeline);
  void decide_update(Step& step, const Answer& answer, std::size_t& at);
  void decide_clean(Step& step, const Rows& rows) const;
  void check_limit(Step& step, std::uint64_t total) const;
  Task<std::optional<Trouble>> sum();
  void add_writes(Pipeline& pipeline) const;
  void answer_all(const Answer& answer, std::size_t at) const;
  Task<Outcome> fail(Trouble trouble, bool was_committing);

  Connection& connection_;
  Schema schema_;
  bool use_names_;
  std::vector<Step> steps_;
  std::vector<std::string_view> projects_;
  Instant deadline_ = Instant::max();
  std::string statement_timeout_;
  std::string lock_timeout_;
};

}  // namespace flowstore::context::postgres
