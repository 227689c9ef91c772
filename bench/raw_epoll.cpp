// What this machine's sockets give: an epoll loop per thread that answers every request with the
// same bytes, without looking at it.
//
//   raw_epoll PORT THREADS FILE     FILE holds the whole answer, head and body
//
// Requests have no body and come one at a time per connection, as wrk sends them.

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr int kBacklog = 4096;
constexpr std::size_t kMostEvents = 256;
constexpr std::size_t kBuffer = 16384;
constexpr std::string_view kEnd = "\r\n\r\n";

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

int listen_on(std::uint16_t port) {
  const int fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  checked(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  checked(listen(fd, kBacklog), "listen");
  return fd;
}

// The connections of one thread.
class Loop {
 public:
  Loop(std::uint16_t port, const std::string& answer)
      : answer_(answer), listener_(listen_on(port)), epoll_(checked(epoll_create1(0), "epoll")) {
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, kMostEvents> events{};
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_) {
          accept_all();
        } else if ((event.events & EPOLLOUT) != 0) {
          send_rest(event.data.fd);
        } else {
          take(event.data.fd);
        }
      }
    }
  }

 private:
  void watch(int operation, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    checked(epoll_ctl(epoll_, operation, fd, &event), "epoll_ctl");
  }

  void accept_all() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void take(int fd) {
    std::array<char, kBuffer> buffer;  // NOLINT: not worth filling with zeros
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) {
      if (got == 0 || errno != EAGAIN) drop(fd);
      return;
    }
    // A part of a request waits for the rest of it.
    if (!std::string_view(buffer.data(), static_cast<std::size_t>(got)).ends_with(kEnd)) return;
    sent_[fd] = 0;
    if (!send_more(fd)) watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
  }

  void send_rest(int fd) {
    if (send_more(fd)) watch(EPOLL_CTL_MOD, fd, EPOLLIN);
  }

  // Whether nothing is left to be sent.
  bool send_more(int fd) {
    std::size_t& sent = sent_[fd];
    while (sent < answer_.size()) {
      const ssize_t count = send(fd, answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
      if (count < 0) return errno != EAGAIN;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }

  void drop(int fd) {
    sent_.erase(fd);
    close(fd);
  }

  const std::string& answer_;
  int listener_;
  int epoll_;
  std::unordered_map<int, std::size_t> sent_;
};

std::string content(const char* file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw std::runtime_error("usage: raw_epoll PORT THREADS FILE");
  const auto port = static_cast<std::uint16_t>(std::stoul(argv[1]));
  const std::string answer = content(argv[3]);
  std::vector<std::thread> threads;
  for (int i = 0; i < std::stoi(argv[2]); ++i) {
    threads.emplace_back([&] { Loop(port, answer).run(); });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "raw_epoll: " << error.what() << '\n';
  return 1;
}
