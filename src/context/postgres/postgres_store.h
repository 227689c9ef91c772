// The PostgreSQL driver: asynchronous libpq, a bounded pool, one database for many processes.

#pragma once

#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "context/context_store.h"
#include "context/postgres/database.h"
#include "metrics/registry.h"

namespace flowstore::context::postgres {

// Starts the driver's thread and returns at once: a database that is down is tried again and again,
// and calls fail as unavailable meanwhile. An Error only for options that cannot work (a ca_file
// that is not there). References must outlive the store.
Result<std::unique_ptr<ContextStore>> make_store(Options options, const Clock& clock, Log& log,
                                                 metrics::Registry& registry);

}  // namespace flowstore::context::postgres
