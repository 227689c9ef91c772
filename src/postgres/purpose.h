// Purpose: what the connections of a pool are for.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "postgres/connection.h"

namespace flowstore::postgres {

// The owner's part in opening connections. Used on the thread of the pool.
class Purpose {
 public:
  virtual ~Purpose() = default;

  // One word, for metrics.
  virtual std::string_view name() const = 0;
  // What the log says of the time without a database: "context requests are answered with 503".
  virtual std::string_view loss() const = 0;

  // Looks at the database, and makes what is missing. Called with the first connection after there
  // was none: the database may be another one than before.
  virtual Task<std::optional<Trouble>> set_up(Connection& connection) = 0;
  // What every connection prepares.
  virtual std::vector<const Sql*> statements() const = 0;
};

}  // namespace flowstore::postgres
