// A socket of 127.0.0.1 on which a test waits for connections.

#pragma once

#include <cstdint>
#include <stdexcept>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"

namespace flowstore {

struct Listener {
  FileDescriptor socket;
  std::uint16_t port = 0;
};

// On a free port.
inline Listener listen_on_loopback() {
  Listener made;
  made.socket = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (::bind(made.socket.get(), name, length) != 0 || ::listen(made.socket.get(), 256) != 0 ||
      ::getsockname(made.socket.get(), name, &length) != 0) {
    throw std::runtime_error("no port to listen on");
  }
  made.port = ntohs(address.sin_port);
  return made;
}

}  // namespace flowstore
