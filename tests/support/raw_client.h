// A blocking HTTP client that sends exactly the bytes it is given and takes answers apart.

#pragma once

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"

namespace flowstore {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

// Every wait ends after ten seconds with an exception, so that a test fails instead of hanging.
class RawClient {
 public:
  // `receive_buffer` makes the kernel's buffer small, for tests in which the client is slow.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const timeval patience = {10, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket_.get(), generic, sizeof address) != 0) {
      throw std::runtime_error("cannot connect to port " + std::to_string(port));
    }
  }

  virtual ~RawClient() = default;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False if the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send_some(bytes);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // What the kernel takes without waiting, in bytes.
  std::size_t send_now(std::string_view bytes) {
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }

  bool is_readable(std::chrono::milliseconds patience) {
    pollfd wait = {socket_.get(), POLLIN, 0};
    return ::poll(&wait, 1, static_cast<int>(patience.count())) > 0;
  }

  // One answer, or a 100. Throws if the connection ends within it.
  Answer read(bool is_head_request = false) {
    Answer answer = read_head();
    const bool has_body =
        !is_head_request && answer.status >= 200 && answer.status != 204 && answer.status != 304;
    if (!has_body) return answer;
    if (answer.header("transfer-encoding") == "chunked") {
      answer.body = read_chunks();
    } else if (answer.headers.count("content-length") != 0) {
      answer.body = take(std::stoull(answer.header("content-length")));
    } else {
      answer.body = read_to_end();
    }
    return answer;
  }

  // The status line and headers; what follows is read by the calls below.
  Answer read_head() {
    const std::string head = take_line_until("\r\n\r\n");
    Answer answer;
    answer.status = std::stoi(head.substr(9, 3));
    std::size_t at = head.find("\r\n") + 2;
    while (at < head.size()) {
      const std::size_t end = std::min(head.find("\r\n", at), head.size());
      const std::string line = head.substr(at, end - at);
      const std::size_t colon = line.find(": ");
      std::string name = line.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      answer.headers[name] = line.substr(colon + 2);
      at = end + 2;
    }
    return answer;
  }

  std::string take(std::size_t size) {
    while (received_.size() < size) receive_more();
    std::string bytes = received_.substr(0, size);
    received_.erase(0, size);
    return bytes;
  }

  // Everything until the server closes, orderly or not.
  std::string read_to_end() {
    try {
      while (true) receive_more();
    } catch (const Closed&) {
    }
    return std::exchange(received_, std::string());
  }

  // True if nothing more comes and the server has closed the connection.
  bool is_closed() { return read_to_end().empty(); }

  void finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

 protected:
  int socket() const { return socket_.get(); }
  // One call that may wait; as the system calls of these names.
  virtual ssize_t send_some(std::string_view bytes) {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  virtual ssize_t receive_some(char* into, std::size_t size) {
    return ::recv(socket_.get(), into, size, 0);
  }

 private:
  struct Closed : std::runtime_error {
    Closed() : std::runtime_error("the server closed the connection") {}
  };

  void receive_more() {
    const std::size_t before = received_.size();
    received_.resize(before + 256 * 1024);
    const ssize_t got = receive_some(received_.data() + before, 256 * 1024);
    received_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      throw std::runtime_error("no answer within ten seconds");
    }
    if (got <= 0) throw Closed();
  }

  std::string take_line_until(std::string_view end) {
    std::size_t found;
    while ((found = received_.find(end)) == std::string::npos) receive_more();
    std::string text = received_.substr(0, found);
    received_.erase(0, found + end.size());
    return text;
  }

  std::string read_chunks() {
    std::string body;
    while (true) {
      const std::size_t size = std::stoull(take_line_until("\r\n"), nullptr, 16);
      body += take(size);
      if (take(2) != "\r\n") throw std::runtime_error("a chunk does not end where it should");
      if (size == 0) return body;
    }
  }

  FileDescriptor socket_;
  std::string received_;
};

}  // namespace flowstore
