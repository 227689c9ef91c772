// ServiceManager: systemd, or whoever else speaks its protocol, is told how the service is.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "config/load.h"

namespace flowstore::server {

// Sends the datagrams of sd_notify(3) to the socket that NOTIFY_SOCKET names; does nothing where
// there is none. What does not arrive within a second is lost.
class ServiceManager {
 public:
  explicit ServiceManager(const config::Environment& environment);

  // Requests are answered from now on.
  void ready() const;
  // It has begun to stop, and that may take so long.
  void stopping(std::chrono::milliseconds at_most) const;
  // It is well. Where that is not said for watchdog(), it is killed and started anew.
  void is_well() const;

  // Nothing: nobody waits for is_well().
  std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

 private:
  void send(std::string_view message) const;

  std::string address_;  // as the kernel wants it: an abstract one begins with a zero
  FileDescriptor socket_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace flowstore::server
