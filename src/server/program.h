// Program: the composition root. Reading build() tells what the program is made of.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "server/listeners.h"

namespace flowstore::server {

// The whole service, put together from a configuration. Made, started and stopped on one thread.
class Program {
 public:
  // Puts everything together and opens the stores, but listens to nobody. Fails with one
  // sentence. The configuration must outlive the program.
  static Result<std::unique_ptr<Program>> build(const config::Config& config);

  virtual ~Program() = default;

  // Listens there; from then on requests are answered.
  virtual Status start(Ports ports) = 0;

  // For how long the event loop has not run that has not for longest; see http::Server.
  virtual Clock::Duration longest_silence() const = 0;

  // Lets running requests finish for config.shutdown_grace, then ends. False if some were cut off.
  virtual bool stop() = 0;

  virtual Log& log() = 0;
  // "http://127.0.0.1:3001": where it listens, and where it does for operators. After start().
  virtual std::vector<std::string> urls() const = 0;
  virtual std::vector<std::string> admin_urls() const = 0;
};

}  // namespace flowstore::server
