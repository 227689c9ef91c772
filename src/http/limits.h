// What one client may ask of the HTTP core.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace flowstore::http {

struct Limits {
  // Request line and header names and values, as Node.js counts them; beyond it 431.
  std::size_t head_bytes = 16 * 1024;
  // Node.js' own limit; a header beyond it is a 431.
  std::size_t headers = 2000;
  // Open connections of the whole server; one more is answered 503 and closed.
  std::size_t connections = 16'384;
  // From accepting a connection to having agreed on TLS; then it is closed.
  std::chrono::seconds handshake_timeout{10};
  // From the first byte of a request to the end of its head; then 408.
  std::chrono::seconds head_timeout{60};
  // Between requests; also announced in Keep-Alive.
  std::chrono::seconds idle_timeout{72};
  // A body may come no slower than this on average, with body_window of patience on top; then 408.
  // 0: any rate.
  std::uint64_t body_rate_bytes_per_second = 100;
  std::chrono::seconds body_window{30};
  // A client that takes no byte of the answer for so long is disconnected.
  std::chrono::seconds write_timeout{60};
};

}  // namespace flowstore::http
