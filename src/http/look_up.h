// The addresses behind a name.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "base/task.h"
#include "http/wire.h"

namespace flowstore::http {

// In the order in which they are to be tried; at least one. An address is its own, and is not
// looked up. The kernel's library cannot be stopped: a look-up that takes too long goes on behind
// us, and what it finds goes nowhere. Errors are sentences for the log, of kind unavailable.
Task<Result<std::vector<boost::asio::ip::tcp::endpoint>>> look_up(std::string host,
                                                                  std::uint16_t port,
                                                                  Instant deadline);

}  // namespace flowstore::http
