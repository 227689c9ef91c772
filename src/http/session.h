// Session: the life of one connection, request after request.

#pragma once

#include "base/task.h"
#include "http/connection.h"

namespace flowstore::http {

// Serves the socket until either side ends it. Parser-level answers end here; everything else goes
// to the handler of the loop's environment. Runs on the loop's thread.
Task<> serve(EventLoop& loop, Connection::Socket socket);

}  // namespace flowstore::http
