// Server: listens, accepts and runs the sessions, one event loop per thread.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/handler.h"
#include "http/limits.h"
#include "http/observer.h"
#include "http/sockets.h"

namespace flowstore::http {

class ServerTls;

struct ServerOptions : ListenOptions {
  std::size_t loops = 1;  // event loops, each on a thread of its own
  Limits limits;
  // For HTTPS, the certificate, which must outlive the server; null: HTTP.
  ServerTls* tls = nullptr;
};

// An HTTP/1.1 server. A connection is accepted by one loop and never leaves it.
class Server {
 public:
  // All references must outlive the server. `disk` is used for reads that would wait for a disk.
  Server(ServerOptions options, Handler& handler, Observer& observer, BlockingPool& disk,
         const Clock& clock);
  ~Server();

  // Listens and starts the loops; from then on requests are answered. Fails with one sentence that
  // names the address and the reason. `sockets` are those of bind_sockets() with the same options.
  Status start(Sockets sockets);
  // Binds them, too.
  Status start();

  // "127.0.0.1:3001", "[::1]:3001": what it listens on. Valid after start().
  std::vector<std::string> addresses() const;
  std::uint16_t port() const;

  // For how long that loop has not looked after its connections which has not done so for longest.
  // They do every second: more than a few is a loop that hangs. Safe to use from any thread.
  Clock::Duration longest_silence() const;

  // The executor of loop 0, for tasks that belong to the whole program.
  Executor executor() const;

  // Stops accepting, closes idle connections, lets running requests finish for at most `grace`
  // (their answers say `Connection: close`), then closes what is left and ends the loops. Blocks;
  // call it from no loop. Returns false if requests were cut off. Handlers that do not end even
  // then are dropped with the server; they must not be waiting for a BlockingPool at that time,
  // whose answer would find no loop: end the pool's work before the server dies.
  bool stop(std::chrono::milliseconds grace);

 private:
  class Running;
  std::unique_ptr<Running> running_;
};

}  // namespace flowstore::http
