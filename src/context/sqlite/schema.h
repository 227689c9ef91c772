// The database file: the old server's table, and how it is opened.

#pragma once

#include "base/result.h"
#include "context/sqlite/connection.h"
#include "context/sqlite/sqlite_store.h"

namespace flowstore::context::sqlite {

// Opens the file for writing, with its folders, journal, table and index; the error is one sentence
// for the operator.
Status open_for_writing(Connection& connection, const Options& options);

// Opens a file that open_for_writing() has prepared, for what changes no row.
Code open_for_reading(Connection& connection, const Options& options);

}  // namespace flowstore::context::sqlite
