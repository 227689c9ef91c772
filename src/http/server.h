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

namespace flowstore::http {

class ServerTls;

struct ServerOptions {
  std::string host = "localhost";  // every address the name resolves to is listened on
  std::uint16_t port = 3001;       // 0: any free one
  std::size_t loops = 1;           // event loops, each on a thread of its own
  Limits limits;
  // For HTTPS, the certificate, which must outlive the server; null: HTTP.
  ServerTls* tls = nullptr;
  // How the configuration names host and port, for advice on what cannot be listened on.
  std::string host_option = "host";
  std::string port_option = "port, or the variable PORT";
};

// An HTTP/1.1 server. A connection is accepted by one loop and never leaves it.
class Server {
 public:
  // All references must outlive the server. `disk` is used for reads that would wait for a disk.
  Server(ServerOptions options, Handler& handler, Observer& observer, BlockingPool& disk,
         const Clock& clock);
  ~Server();

  // Binds and starts the loops; from then on requests are answered. Fails with one sentence that
  // names the address and the reason.
  Status start();

  // "127.0.0.1:3001", "[::1]:3001": what it listens on. Valid after start().
  std::vector<std::string> addresses() const;
  std::uint16_t port() const;

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
