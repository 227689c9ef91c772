// Workplace: what a command that works on stores needs around it.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "cli/program.h"
#include "config/config.h"
#include "tools/interrupt.h"
#include "tools/progress.h"
#include "tools/session.h"
#include "tools/stores.h"

namespace flowstore::cli {

// For one command. Made before the first thread; the stores must be gone before it goes.
class Workplace {
 public:
  explicit Workplace(const Surroundings& around);

  // Becomes the user that the service of this configuration runs as, so that what is written
  // belongs to it. Once, before anything is opened.
  Status enter(const config::Config& config);

  // All of these after enter(), or both at once: the stores of a configuration; and what goes with
  // every command.
  Result<std::unique_ptr<tools::Stores>> open(const config::Config& config,
                                              tools::Parts parts = tools::Parts());
  Result<std::unique_ptr<tools::Stores>> enter_and_open(const config::Config& config) {
    FLOWSTORE_TRY_STATUS(enter(config));
    return open(config);
  }
  tools::Session session() { return {interrupt_, progress_, *log_, clock_}; }

  // Writes to standard output, in the place of the progress.
  void print(std::string_view text);
  // A sentence on standard error.
  void say(std::string_view sentence);
  // The same, of what ended the command; the exit code.
  int failed(const Error& error);

 private:
  const Surroundings& around_;
  tools::Interrupt interrupt_;
  SystemClock clock_;
  std::optional<Log> log_;  // has a thread
  tools::Progress progress_;
};

// ["a","b"].
std::string json_array(const std::vector<std::string>& texts);

// The first of them, and a line that says how many more there are.
std::vector<std::string> shortened(std::vector<std::string> all, std::size_t most);

}  // namespace flowstore::cli
