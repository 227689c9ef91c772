// What went wrong in SQLite, in our words.

#pragma once

#include "base/error.h"
#include "context/sqlite/connection.h"

namespace flowstore::context::sqlite {

// The only place that makes an Error of a result code. The message says nothing of the file.
Error translate(Code code);

// More waits already than can be done in time.
Error busy();

// The caller has left.
Error left();

}  // namespace flowstore::context::sqlite
