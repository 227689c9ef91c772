#include "context/sqlite/trouble.h"

#include <sqlite3.h>

namespace flowstore::context::sqlite {

Error translate(Code code) {
  constexpr int kPrimary = 0xFF;
  switch (code & kPrimary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return busy();
    case SQLITE_FULL:
      return Error(ErrorKind::no_space, "ENOSPC", "The disk of the context store is full");
    case SQLITE_TOOBIG:
      return Error(ErrorKind::invalid, "", "The scope would become too large to be stored");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return Error(ErrorKind::unavailable, "context_unavailable",
                   "The context store cannot be used at the moment; try again in a few seconds");
    default:
      return Error(ErrorKind::internal, "", "The context store is broken");
  }
}

Error busy() {
  return Error(ErrorKind::unavailable, "context_unavailable",
               "The context store is busy; try again in a few seconds");
}

Error left() { return Error(ErrorKind::aborted, "", "the client has left"); }

}  // namespace flowstore::context::sqlite
