// Pages: the rows of a project, a few at a time.

#pragma once

#include <memory>
#include <string>

#include "context/context_store.h"
#include "context/postgres/database.h"
#include "context/postgres/engine.h"

namespace flowstore::context::postgres {

// One round trip for an ordinary page. Rows whose values are large together come later, as they are
// pulled, so that a page of any length needs the memory of a few rows. For tasks of Engine::call().
Task<Result<Page>> read_page(Engine& engine, Runner::Asker asker, const std::string& project,
                             std::int64_t after, std::int64_t most,
                             std::chrono::milliseconds patience);

}  // namespace flowstore::context::postgres
