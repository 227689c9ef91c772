#include "http/look_ups.h"

#include <cstring>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <netdb.h>

namespace flowstore::http {
namespace {

struct FreeFound {
  void operator()(addrinfo* found) const noexcept { ::freeaddrinfo(found); }
};

Error failed(const std::string& host, const std::string& what) {
  return {ErrorKind::unavailable, "look_up", "the name " + host + " " + what};
}

// What a look-up's thread and the task that waits for it share; the last of them takes it away.
struct LookUp {
  Places done{1};  // whose place is taken until the outcome is there
  std::optional<Result<Endpoints>> outcome;
};

}  // namespace

Result<Endpoints> ask_system(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_flags = AI_ADDRCONFIG;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const std::string service = std::to_string(port);
  const int error = ::getaddrinfo(host.c_str(), service.c_str(), &wanted, &first);
  if (error != 0) return failed(host, std::string("was not found: ") + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, FreeFound> found(first);
  Endpoints endpoints;
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
    endpoint.resize(one->ai_addrlen);
    endpoints.push_back(endpoint);
  }
  if (endpoints.empty()) return failed(host, "has no address");
  return endpoints;
}

LookUps::LookUps(Ask ask)
    : ask_(std::move(ask)), threads_(std::make_shared<Places>(kMostThreads)) {}

Task<Result<Endpoints>> LookUps::find(std::string host, std::uint16_t port, Instant deadline) {
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(host, no_address);
  if (!no_address) co_return Endpoints(1, {address, port});
  auto thread = threads_->take_now();
  if (!thread) thread = co_await threads_->take(deadline);
  if (!thread) co_return failed(host, "was not looked up: too many others are");
  const auto asked = std::make_shared<LookUp>();
  auto work = [asked, host, port, ask = ask_, threads = threads_, thread = std::move(thread),
               busy = asked->done.take_now()]() mutable {
    asked->outcome.emplace(ask(host, port));
    busy = Places::Place();
    thread = Places::Place();
  };
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error& error) {
    co_return failed(host, std::string("was not looked up: ") + error.what());
  }
  const auto done = co_await asked->done.take(deadline);
  if (!done) co_return failed(host, "was not looked up in time");
  co_return *std::move(asked->outcome);
}

}  // namespace flowstore::http
