// FakePlatform: an HTTP server that answers what a test tells it to.

#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"
#include "support/listener.h"

namespace flowstore {

// Listens on 127.0.0.1, any free port, for requests without a body. Keeps connections alive. One
// thread per connection. Safe to use from any thread.
class FakePlatform {
 public:
  struct Answer {
    Answer() = default;
    explicit Answer(int code, std::string text = "{}") : status(code), body(std::move(text)) {}

    int status = 200;
    std::string body = "{}";
    std::string headers;                 // further lines, each with its \r\n
    std::chrono::milliseconds delay{0};  // before the first byte
    bool drop = false;                   // close the connection instead of answering
  };

  FakePlatform() {
    acceptor_ = std::thread([this] { accept(); });
  }

  ~FakePlatform() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      for (Connection& connection : connections_) ::shutdown(connection.socket.get(), SHUT_RDWR);
    }
    stopping_.notify_all();
    ::shutdown(listener_.socket.get(), SHUT_RDWR);
    acceptor_.join();
    for (Connection& connection : connections_) connection.thread.join();
  }

  std::uint16_t port() const noexcept { return listener_.port; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

  // The answer to every request from now on.
  void answer(Answer always) {
    const std::lock_guard lock(mutex_);
    always_ = std::move(always);
  }
  // The answer to one request, before those of answer(); a queue.
  void answer_once(Answer once) {
    const std::lock_guard lock(mutex_);
    once_.push_back(std::move(once));
  }

  // Requests that have arrived so far.
  int calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  // Connections that have been accepted so far.
  int connections() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(connections_.size());
  }
  // The most requests that were in work at one time.
  int most_at_once() const {
    const std::lock_guard lock(mutex_);
    return most_at_once_;
  }

  // Of the latest request: its first line without the version, and a header, compared without case.
  std::string last_request() const {
    const std::lock_guard lock(mutex_);
    return last_head_.substr(0, last_head_.find(" HTTP/"));
  }
  std::optional<std::string> last_header(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    for (std::size_t at = last_head_.find("\r\n"); at != std::string::npos;
         at = last_head_.find("\r\n", at + 2)) {
      const char* line = last_head_.c_str() + at + 2;
      if (::strncasecmp(line, name.data(), name.size()) != 0 || line[name.size()] != ':') continue;
      const std::size_t start = at + 2 + name.size() + 2;
      return last_head_.substr(start, last_head_.find("\r\n", start) - start);
    }
    return std::nullopt;
  }

 private:
  struct Connection {
    FileDescriptor socket;
    std::thread thread;
  };

  void accept() {
    while (true) {
      FileDescriptor socket(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const std::lock_guard lock(mutex_);
      if (is_stopping_ || !socket) return;
      Connection& connection = connections_.emplace_back();
      connection.socket = std::move(socket);
      connection.thread = std::thread([this, fd = connection.socket.get()] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string received;
    while (const auto head = read_head(fd, received)) {
      const Answer answer = next_answer(*head);
      const bool is_kept = wait(answer.delay) && !answer.drop && send(fd, text_of(answer));
      const std::lock_guard lock(mutex_);
      --at_once_;
      if (!is_kept) break;
    }
    ::shutdown(fd, SHUT_RDWR);
  }

  // The next request, without its last empty line; nothing when the client has gone.
  static std::optional<std::string> read_head(int fd, std::string& received) {
    std::size_t end = 0;
    while ((end = received.find("\r\n\r\n")) == std::string::npos) {
      char bytes[4096];
      const ssize_t count = ::recv(fd, bytes, sizeof bytes, 0);
      if (count <= 0) return std::nullopt;
      received.append(bytes, static_cast<std::size_t>(count));
    }
    std::string head = received.substr(0, end + 2);
    received.erase(0, end + 4);
    return head;
  }

  Answer next_answer(const std::string& head) {
    const std::lock_guard lock(mutex_);
    ++calls_;
    most_at_once_ = std::max(most_at_once_, ++at_once_);
    last_head_ = head;
    if (once_.empty()) return always_;
    Answer answer = std::move(once_.front());
    once_.pop_front();
    return answer;
  }

  // False if the test is over.
  bool wait(std::chrono::milliseconds delay) {
    std::unique_lock lock(mutex_);
    return !stopping_.wait_for(lock, delay, [this] { return is_stopping_; });
  }

  static std::string text_of(const Answer& answer) {
    const bool has_body = answer.status != 204 && answer.status != 304;
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " X\r\n" + answer.headers;
    if (has_body) text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    return text + "\r\n" + (has_body ? answer.body : "");
  }

  static bool send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  const Listener listener_ = listen_on_loopback();
  std::thread acceptor_;

  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  // All below are guarded by mutex_.
  bool is_stopping_ = false;
  std::list<Connection> connections_;
  Answer always_;
  std::deque<Answer> once_;
  int calls_ = 0;
  int at_once_ = 0;
  int most_at_once_ = 0;
  std::string last_head_;
};

}  // namespace flowstore
