#include "server/service_manager.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/scalars.h"

namespace flowstore::server {
namespace {

// WATCHDOG_PID says whose watchdog it is: the variables are inherited.
bool is_for_us(const config::Environment& environment) {
  const auto pid = environment("WATCHDOG_PID");
  return !pid || *pid == std::to_string(::getpid());
}

std::optional<std::chrono::microseconds> watchdog_of(const config::Environment& environment) {
  const auto text = environment("WATCHDOG_USEC");
  const auto time = text && is_for_us(environment) ? config::parse_whole(*text) : std::nullopt;
  constexpr std::uint64_t kDay = std::uint64_t{24} * 3600 * 1'000'000;
  if (!time || *time == 0 || *time > kDay) return std::nullopt;
  return std::chrono::microseconds(*time);
}

}  // namespace

ServiceManager::ServiceManager(const config::Environment& environment) {
  auto address = environment("NOTIFY_SOCKET");
  const bool is_usable = address && (address->starts_with('/') || address->starts_with('@')) &&
                         address->size() < sizeof(sockaddr_un::sun_path);
  if (!is_usable) return;
  address_ = *std::move(address);
  if (address_.front() == '@') address_.front() = '\0';
  // Kept open: a process that has run out of descriptors is still well.
  socket_ = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr timeval kPatience{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  watchdog_ = watchdog_of(environment);
}

void ServiceManager::ready() const { send("READY=1"); }

void ServiceManager::stopping(std::chrono::milliseconds at_most) const {
  const std::chrono::microseconds time = at_most;
  send("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(time.count()));
}

void ServiceManager::is_well() const { send("WATCHDOG=1"); }

void ServiceManager::send(std::string_view message) const {
  if (!socket_) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::copy(address_.begin(), address_.end(), &to.sun_path[0]);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // A generic address is what the call takes, whatever the family.
  const auto* const address = reinterpret_cast<const sockaddr*>(&to);
  ::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL, address, length);
}

}  // namespace flowstore::server
