#include "context/postgres/errors.h"

namespace flowstore::context::postgres {

Error translate(const Trouble& trouble) {
  switch (kind_of(trouble)) {
    case ErrorKind::invalid:
      return {ErrorKind::invalid, "", trouble.message};
    case ErrorKind::no_space:
      return {ErrorKind::no_space, "ENOSPC", "The context store is full"};
    case ErrorKind::unavailable:
      return no_answer();
    default:
      return {ErrorKind::internal, "", "The context store refused the request"};
  }
}

Error no_answer() {
  return {ErrorKind::unavailable, "context_unavailable",
          "The context store cannot be used at the moment; try again in a few seconds"};
}

Error busy() {
  return {ErrorKind::unavailable, "context_unavailable",
          "The context store is busy; try again in a few seconds"};
}

Error left() { return {ErrorKind::aborted, "", "The client has left"}; }

}  // namespace flowstore::context::postgres
