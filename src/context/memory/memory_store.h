// The memory driver: rows that go with the process. For tests, and for `storage: ":memory:"`.

#pragma once

#include <memory>

#include "context/context_store.h"

namespace flowstore::context::memory {

std::unique_ptr<ContextStore> make_store();

}  // namespace flowstore::context::memory
