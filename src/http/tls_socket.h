// How OpenSSL reads and writes our sockets.

#pragma once

struct ssl_st;

namespace flowstore::http {

// OpenSSL's own way raises SIGPIPE when the peer has gone, and does not hurry acknowledgements.
// False if there is no memory. `socket` is not taken over.
bool attach_socket(ssl_st* connection, int socket);

// Lets the kernel acknowledge what comes next at once. The kernel forgets it, so it is said before
// each read: a peer that sends head and body in two segments and leaves Nagle's algorithm on
// answers in 1 ms instead of 44 (docs/decisions/0011-s3.md).
void acknowledge_at_once(int socket) noexcept;

}  // namespace flowstore::http
