// LookUps: the addresses behind names.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "base/task.h"
#include "http/places.h"
#include "http/wire.h"

namespace flowstore::http {

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

// Asks the system's library. Blocks.
Result<Endpoints> ask_system(const std::string& host, std::uint16_t port);

// Asks on threads of its own, each for one name: the library blocks, for as long as nobody answers
// it, and cannot be stopped. Whoever cannot wait leaves a look-up behind, and so may the program at
// its end; what it finds goes nowhere then. Asio's own way is one thread for each event loop, where
// one packet of DNS that is lost holds up all other names for five seconds.
//
// Safe to use from any thread.
class LookUps {
 public:
  // While DNS is away each of them is gone for ten seconds and more; when it is back they are what
  // those who ask anew have to wait for.
  static constexpr std::size_t kMostThreads = 16;
  using Ask = std::function<Result<Endpoints>(const std::string& host, std::uint16_t port)>;

  // For tests another library than the system's.
  explicit LookUps(Ask ask = ask_system);

  // In the order in which they are to be tried; at least one. An address is its own, and is not
  // looked up. Errors are sentences for the log, of kind unavailable.
  Task<Result<Endpoints>> find(std::string host, std::uint16_t port, Instant deadline);

 private:
  const Ask ask_;
  // Threads may outlive the rest.
  const std::shared_ptr<Places> threads_;
};

}  // namespace flowstore::http
