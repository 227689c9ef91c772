// A server that says on the wire exactly what a test tells it to.

#pragma once

#include <atomic>
#include <cerrno>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"
#include "support/listener.h"

namespace flowstore {

// One connection of the server, on a thread of its own.
class RawPeer {
 public:
  explicit RawPeer(FileDescriptor socket) : socket_(std::move(socket)) {}

  // The next request's head; empty if the client has gone.
  std::string read_head() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return {};
    }
    std::string head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    return head;
  }
  // So many bytes of a body, or fewer if the client has gone.
  std::size_t read_body(std::size_t size) {
    std::size_t got = std::min(buffer_.size(), size);
    buffer_.erase(0, got);
    while (got < size && read_more()) {
      const std::size_t taken = std::min(buffer_.size(), size - got);
      buffer_.erase(0, taken);
      got += taken;
    }
    return got;
  }
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Until the client closes the connection.
  void wait_for_end() {
    while (read_more()) buffer_.clear();
  }
  // Ends it with a reset instead of a farewell.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_ = FileDescriptor();
  }
  int descriptor() const noexcept { return socket_.get(); }

 private:
  bool read_more() {
    char bytes[65536];
    const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  FileDescriptor socket_;
  std::string buffer_;
};

// Listens on a free port of 127.0.0.1 and does `act` with every connection, which then ends.
class RawServer {
 public:
  explicit RawServer(std::function<void(RawPeer&)> act) : act_(std::move(act)) {
    acceptor_ = std::thread([this] { accept(); });
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer() {
    ::shutdown(listener_.socket.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  std::uint16_t port() const noexcept { return listener_.port; }
  int connections() const noexcept { return connections_; }
  // Those whose `act` has not returned.
  int open_connections() {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(open_.size());
  }

 private:
  void accept() {
    while (true) {
      FileDescriptor socket(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      const int descriptor = socket.get();
      open_.push_back(descriptor);
      threads_.emplace_back([this, descriptor, socket = std::move(socket)]() mutable {
        {
          RawPeer peer(std::move(socket));
          act_(peer);
        }
        const std::lock_guard ending(mutex_);
        open_.remove(descriptor);
      });
    }
  }

  std::function<void(RawPeer&)> act_;
  const Listener listener_ = listen_on_loopback();
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::list<int> open_;             // guarded by mutex_
  std::list<std::thread> threads_;  // made by the acceptor, joined when that has ended
  std::thread acceptor_;
};

}  // namespace flowstore
