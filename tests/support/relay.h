// Relay: stands between clients and a server of the loopback address, and does them harm.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"
#include "support/listener.h"
#include "support/postgres_server.h"

namespace flowstore {

// A thread for each connection. All of them end with the relay.
class Relay {
 public:
  explicit Relay(std::uint16_t target) : target_(target) {
    accepting_ = std::thread([this] { accept_all(); });
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay() {
    is_ending_ = true;
    accepting_.join();
    for (std::thread& thread : connections_) thread.join();
  }

  std::uint16_t port() const noexcept { return listener_.port; }

  // While set, the second half of everything that the server says is missing.
  void garble_answers(bool is_on) { garbles_answers_ = is_on; }
  // The connections that there are go nowhere any more, and nobody is told. Later ones work.
  void lose_connections() { lost_ = opened_.load(); }
  int opened() const noexcept { return opened_; }

 private:
  static constexpr int kTick = 10;  // ms after which somebody looks whether it all ends

  static bool is_readable(int file) {
    pollfd what{file, POLLIN, 0};
    return ::poll(&what, 1, kTick) == 1;
  }

  void accept_all() {
    while (!is_ending_) {
      if (!is_readable(listener_.socket.get())) continue;
      FileDescriptor client(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const int number = ++opened_;
      connections_.emplace_back(
          [this, number, client = std::move(client)] { pass_on(client, number); });
    }
  }

  void pass_on(const FileDescriptor& client, int number) {
    const FileDescriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = postgres_support::loopback(target_);
    if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      return;
    }
    std::array<pollfd, 2> both{{{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}}};
    while (!is_ending_) {
      if (::poll(both.data(), both.size(), kTick) < 1) continue;
      if (number <= lost_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kTick));
        continue;
      }
      if (both[0].revents != 0 && !move(client.get(), server.get())) return;
      if (both[1].revents == 0) continue;
      if (!move(server.get(), client.get(), garbles_answers_ ? 2 : 1)) return;
    }
  }

  // The first part of one piece, or all of it.
  static bool move(int from, int to, ssize_t divisor = 1) {
    std::array<char, 65536> piece{};
    const ssize_t got = ::recv(from, piece.data(), piece.size(), 0);
    const ssize_t kept = got / divisor;
    return got > 0 &&
           ::send(to, piece.data(), static_cast<std::size_t>(kept), MSG_NOSIGNAL) == kept;
  }

  const std::uint16_t target_;
  const Listener listener_ = listen_on_loopback();
  std::atomic<bool> is_ending_{false};
  std::atomic<bool> garbles_answers_{false};
  std::atomic<int> opened_{0};
  std::atomic<int> lost_{0};
  std::vector<std::thread> connections_;  // of the accepting thread, until that has ended
  std::thread accepting_;
};

}  // namespace flowstore
