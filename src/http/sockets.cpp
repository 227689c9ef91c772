#include "http/sockets.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/socket.h>

namespace flowstore::http {
namespace {

using boost::asio::ip::tcp;
using Endpoint = tcp::endpoint;

// `advice` is what the operator can do about it.
Error cannot_listen(const std::string& place, const std::string& reason, std::string_view advice) {
  return Error(ErrorKind::unavailable, "EADDR",
               "cannot listen on " + place + ": " + reason + "; " + std::string(advice));
}

std::string place_of(const Endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const bool is_v6 = endpoint.address().is_v6();
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

Error cannot_listen(const Endpoint& endpoint, int error, const ListenOptions& options) {
  std::string advice = "set " + options.host_option + " to an address of this machine";
  if (error == EADDRINUSE) {
    advice = "stop what uses the port or set another one (" + options.port_option + ")";
  }
  if (error == EACCES) {
    advice = "set a port above 1023 (" + options.port_option + "), or start as root with user";
  }
  return cannot_listen(place_of(endpoint), std::system_category().message(error), advice);
}

// "localhost" is often both 127.0.0.1 and ::1; where one of them is off, the other is enough.
bool is_off(int error) { return error == EADDRNOTAVAIL || error == EAFNOSUPPORT; }

Endpoint endpoint_of(const FileDescriptor& socket) {
  Endpoint endpoint;
  auto length = static_cast<socklen_t>(endpoint.capacity());
  ::getsockname(socket.get(), endpoint.data(), &length);
  return endpoint;
}

bool turn_on(const FileDescriptor& socket, int level, int option) {
  constexpr int kOn = 1;
  return ::setsockopt(socket.get(), level, option, &kOn, sizeof kOn) == 0;
}

// None, and errno, where it does not work.
FileDescriptor bound_to(const Endpoint& endpoint) {
  const int family = endpoint.protocol().family();
  FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
  const bool is_v6_loopback = family == AF_INET6 && endpoint.address().is_loopback();
  const bool is_bound =
      socket && turn_on(socket, SOL_SOCKET, SO_REUSEADDR) &&
      (!is_v6_loopback || turn_on(socket, IPPROTO_IPV6, IPV6_V6ONLY)) &&
      ::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
  if (is_bound) return socket;
  return {};
}

Result<std::vector<Endpoint>> endpoints_of(const ListenOptions& options) {
  boost::asio::io_context nobody_waits;
  boost::system::error_code error;
  tcp::resolver resolver(nobody_waits);
  const std::string port = std::to_string(options.port);
  const auto found = resolver.resolve(options.host, port, tcp::resolver::passive, error);
  if (error) {
    return cannot_listen(options.host + ":" + port, error.message(),
                         "set " + options.host_option + " to a name that this machine can resolve");
  }
  std::vector<Endpoint> endpoints;
  for (const auto& entry : found) {
    const bool is_known =
        std::find(endpoints.begin(), endpoints.end(), entry.endpoint()) != endpoints.end();
    if (!is_known) endpoints.push_back(entry.endpoint());
  }
  return endpoints;
}

}  // namespace

Result<Sockets> bind_sockets(const ListenOptions& options) {
  FLOWSTORE_TRY(const auto endpoints, endpoints_of(options));
  Sockets sockets;
  std::optional<Error> failed;
  for (Endpoint endpoint : endpoints) {
    // With port 0 every address gets the port that the first one was given.
    if (!sockets.empty()) endpoint.port(endpoint_of(sockets[0]).port());
    FileDescriptor socket = bound_to(endpoint);
    const int error = errno;
    if (socket) {
      sockets.push_back(std::move(socket));
      continue;
    }
    failed = cannot_listen(endpoint, error, options);
    if (!is_off(error)) return *failed;
  }
  if (sockets.empty() && failed) return *failed;
  return sockets;
}

Status listen_on(const Sockets& sockets, const ListenOptions& options) {
  for (const FileDescriptor& socket : sockets) {
    if (::listen(socket.get(), SOMAXCONN) == 0) continue;
    return cannot_listen(endpoint_of(socket), errno, options);
  }
  return {};
}

std::string address_of(const FileDescriptor& socket) { return place_of(endpoint_of(socket)); }

bool is_v6(const FileDescriptor& socket) { return endpoint_of(socket).protocol() == tcp::v6(); }

}  // namespace flowstore::http
