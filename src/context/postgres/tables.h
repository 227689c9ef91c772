// Tables: what the driver's connections are for.

#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "context/postgres/database.h"
#include "context/postgres/postgres_store.h"
#include "context/postgres/set_up.h"
#include "postgres/purpose.h"

namespace flowstore::context::postgres {

// Used on the engine's thread.
class Tables final : public Purpose {
 public:
  // The log must outlive it.
  explicit Tables(Log& log) : log_(log) {}

  std::string_view name() const override { return "context"; }
  std::string_view loss() const override { return "context requests are answered with 503"; }
  Task<std::optional<Trouble>> set_up(Connection& connection) override;
  std::vector<const Sql*> statements() const override { return schema_.statements(); }

  // As of the latest set-up.
  const Schema& schema() const noexcept { return schema_; }

 private:
  Log& log_;
  Schema schema_;
  std::string warning_;  // the last one that was logged
};

}  // namespace flowstore::context::postgres
