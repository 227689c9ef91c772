// Sockets: the addresses of a server, taken before anybody is answered there.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace flowstore::http {

struct ListenOptions {
  std::string host = "localhost";  // every address the name resolves to is listened on
  std::uint16_t port = 3001;       // 0: any free one
  // How the configuration names host and port, for advice on what cannot be listened on.
  std::string host_option = "host";
  std::string port_option = "port, or the variable PORT";
};

using Sockets = std::vector<FileDescriptor>;

// Takes the addresses, which for ports below 1024 may need root; clients are turned away until
// somebody listens. Makes no thread. Fails with one sentence that names the address and the reason.
Result<Sockets> bind_sockets(const ListenOptions& options);

// From here on the kernel accepts connections. Fails as above.
Status listen_on(const Sockets& sockets, const ListenOptions& options);

// "127.0.0.1:3001", "[::1]:3001".
std::string address_of(const FileDescriptor& socket);
bool is_v6(const FileDescriptor& socket);

}  // namespace flowstore::http
