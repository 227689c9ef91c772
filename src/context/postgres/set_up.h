// Set-up: the tables, and the running size of each project.

#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/task.h"
#include "context/postgres/database.h"

namespace flowstore::context::postgres {

// What the database offers.
struct Schema {
  Schema() = default;

  // flowstore_usage is there, is kept by its trigger, and we may read it. Else the rows of a
  // project are summed when they are to grow.
  bool counts_usage = false;
  // The server can pack large values with lz4, which costs a third of the time of its own method.
  bool has_lz4 = false;
  // What the operator should do, as a sentence; or empty.
  std::string warning;

  // What a connection prepares.
  std::vector<const Sql*> statements() const;
};

// Looks at the database, and makes what is missing: the table of the old server, flowstore_usage
// with its trigger, an index. One look where everything is there. Several processes may do this at
// once, and old servers may write meanwhile: they wait while their rows are counted, once. Fails
// where there is no table and none can be made. Looking takes seconds at most, counting may take
// until the deadline.
Task<std::variant<Schema, Trouble>> set_up(Connection& connection, Instant deadline);

}  // namespace flowstore::context::postgres
