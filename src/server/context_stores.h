// Making the context store that the configuration names.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "context/context_store.h"
#include "metrics/registry.h"
#include "postgres/options.h"

namespace flowstore::server {

// Opens the store; fails with one sentence that says what to do. A database server that is down is
// no failure: the store waits for it. All references must outlive the store. Precondition: context
// is on.
Result<std::unique_ptr<context::ContextStore>> make_context_store(
    const config::ContextConfig& config, BlockingPool& io, const Clock& clock, Log& log,
    metrics::Registry& registry);

// How to reach the database, where it is PostgreSQL.
postgres::Options postgres_options(const config::ContextConfig& config);

// "sqlite", "postgres" or "memory", for metrics and messages.
std::string_view context_driver(const config::ContextConfig& config);

// Where the rows are: the file, the host or ":memory:".
const std::string& context_place(const config::ContextConfig& config);

}  // namespace flowstore::server
