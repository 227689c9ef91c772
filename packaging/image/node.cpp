// Stands in for `node` in the container image. FlowFuse's Compose file asks after the file server
// with
//   node -e "require('http').get('http://127.0.0.1:3001/health', ...)"
// and the image has no Node.js. This finds the URL in the script, asks for it, and ends with 0 if
// the answer is 200, else with 1. It knows nothing else of JavaScript.
#include <cstddef>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

// What a script asks for.
struct Target {
  std::string host;
  std::string port = "80";
  std::string path = "/";
};

// The first URL of http in the script; it ends where a JavaScript string does.
std::optional<Target> find_target(std::string_view script) {
  constexpr std::string_view scheme = "http://";
  const std::size_t start = script.find(scheme);
  if (start == std::string_view::npos) return std::nullopt;
  std::string_view url = script.substr(start + scheme.size());
  url = url.substr(0, url.find_first_of("'\"`) \t\n"));
  const std::string_view authority = url.substr(0, url.find('/'));
  const std::size_t colon = authority.rfind(':');
  Target target;
  target.host = authority.substr(0, colon);
  if (colon != std::string_view::npos) target.port = authority.substr(colon + 1);
  if (authority.size() < url.size()) target.path = url.substr(authority.size());
  if (target.host.empty() || target.port.empty()) return std::nullopt;
  return target;
}

// A connection that is closed at the end; -1 if nobody answers. Docker ends a check that takes too
// long, whoever else runs this waits for at most 4 s at each step.
class Connection {
 public:
  explicit Connection(const Target& target) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found) != 0) return;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
    for (const addrinfo* address = found; address != nullptr && fd_ < 0; address = address->ai_next)
      connect(*address);
  }
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }

 private:
  void connect(const addrinfo& address) {
    fd_ = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol);
    const timeval patience{4, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd_, address.ai_addr, address.ai_addrlen) != 0) close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  int fd_ = -1;
};

// The first line of the answer; empty if there is none.
std::string status_line(const Target& target) {
  const Connection connection(target);
  if (connection.fd() < 0) return "";
  const std::string request = "GET " + target.path + " HTTP/1.1\r\nHost: " + target.host + ":" +
                              target.port + "\r\nConnection: close\r\n\r\n";
  if (::send(connection.fd(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return "";
  std::string answer;
  char bytes[512];
  while (answer.find('\n') == std::string::npos) {
    const ssize_t count = ::recv(connection.fd(), bytes, sizeof bytes, 0);
    if (count <= 0) return "";
    answer.append(bytes, static_cast<std::size_t>(count));
  }
  return answer.substr(0, answer.find_first_of("\r\n"));
}

bool is_ok(std::string_view line) {
  return line.starts_with("HTTP/1.") && line.substr(line.find(' ') + 1, 3) == "200";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view option = argc == 3 ? argv[1] : "";
  const auto target = option == "-e" || option == "--eval" ? find_target(argv[2]) : std::nullopt;
  if (!target) {
    std::cerr << "node: this image has no Node.js; what is here understands a health check, "
                 "-e \"...get('http://HOST:PORT/PATH'...)\", and nothing else\n";
    return 2;
  }
  const std::string line = status_line(*target);
  if (is_ok(line)) return 0;
  std::cerr << "node: http://" << target->host << ":" << target->port << target->path << ": "
            << (line.empty() ? "no answer" : line) << "\n";
  return 1;
}
