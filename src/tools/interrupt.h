// Interrupt: whether somebody has asked the command to stop.

#pragma once

#include <csignal>

namespace flowstore::tools {

// While this lives, SIGINT, SIGTERM and SIGHUP do not end the process but are noticed by
// is_asked(): a command stops between two steps, where nothing is half done. After the first one
// they end the process again, so that a second Ctrl-C does not wait for a disk. Made while there is
// one thread, so that those that follow are not interrupted either; used by one thread.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  bool is_asked();

 private:
  sigset_t signals_{};
  sigset_t before_{};
  bool is_asked_ = false;
};

}  // namespace flowstore::tools
