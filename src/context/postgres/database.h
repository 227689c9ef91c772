// The words of the PostgreSQL client, which the driver speaks throughout.

#pragma once

#include "postgres/connection.h"
#include "postgres/options.h"
#include "postgres/pipeline.h"
#include "postgres/trouble.h"
#include "postgres/wake.h"

namespace flowstore::context::postgres {

using namespace flowstore::postgres;  // NOLINT(google-build-using-namespace)

}  // namespace flowstore::context::postgres
