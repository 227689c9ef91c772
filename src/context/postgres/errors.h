// What the callers of the driver are told.

#pragma once

#include "base/error.h"
#include "context/postgres/database.h"

namespace flowstore::context::postgres {

// The only place that makes an Error of a Trouble. Messages of kind invalid are the server's own,
// as the old server showed them; all others say nothing of the database.
Error translate(const Trouble& trouble);

// The database does not answer, or not in time.
Error no_answer();
// More waits already than can be done in time.
Error busy();
// The caller has left.
Error left();

}  // namespace flowstore::context::postgres
