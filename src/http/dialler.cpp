#include "http/dialler.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "http/look_ups.h"

namespace flowstore::http {
namespace {

using std::chrono::steady_clock;

std::string text_of(int error) { return std::system_category().message(error); }

Error failed(std::string why) { return {ErrorKind::unavailable, "dial", std::move(why)}; }

void set_options(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A peer whose machine has gone is found while a connection is idle.
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

}  // namespace

Task<Result<std::unique_ptr<Wire>>> Dialler::dial(const Origin& origin, Instant deadline) {
  FLOWSTORE_CO_TRY(const auto endpoints,
                   co_await look_ups_.find(origin.host, origin.port, deadline));
  Error last = failed("it has no address");
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const Instant now = steady_clock::now();
    const auto share = (deadline - now) / static_cast<int>(endpoints.size() - i);
    auto wire = co_await dial_one(origin, endpoints[i], now + share);
    if (wire) co_return wire;
    last = std::move(wire).error();
  }
  co_return failed(origin.host + ":" + std::to_string(origin.port) + ": " + last.message());
}

Task<Result<std::unique_ptr<Wire>>> Dialler::dial_one(const Origin& origin,
                                                      const Endpoint& endpoint, Instant deadline) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  FLOWSTORE_CO_TRY(Line line, begin(origin, endpoint));
  auto wire = std::make_unique<Wire>(executor, std::move(line));
  FLOWSTORE_CO_TRY_STATUS(co_await wire->open(deadline));
  co_return wire;
}

Result<Line> Dialler::begin(const Origin& origin, const Endpoint& endpoint) {
  Line line;
  line.socket = FileDescriptor(::socket(endpoint.data()->sa_family,
                                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!line.socket) return failed(text_of(errno));
  const int socket = line.socket.get();
  set_options(socket);
  const auto size = static_cast<socklen_t>(endpoint.size());
  const bool has_begun = ::connect(socket, endpoint.data(), size) == 0 || errno == EINPROGRESS;
  if (!has_begun) return failed(text_of(errno));
  if (!origin.is_tls) return line;
  FLOWSTORE_TRY(line.tls, tls_.start(origin.host, origin.port, socket));
  return line;
}

}  // namespace flowstore::http
