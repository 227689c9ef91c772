// `openssl s_server` with a certificate authority that lives for one test.

#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace flowstore::http {

// A folder with ca.pem, and server.pem and server.key for "localhost", signed by it.
class Certificates {
 public:
  Certificates() {
    char name[] = "/tmp/flowstore-tls-XXXXXX";
    folder_ = ::mkdtemp(name);
    std::ofstream(folder_ / "names") << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
    run_in_folder(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2"
        " -subj '/CN=Test authority'");
    run_in_folder(
        "openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr"
        " -subj /CN=localhost");
    run_in_folder(
        "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial"
        " -days 2 -extfile names -out server.pem");
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }

  std::string path(const char* name) const { return folder_ / name; }

 private:
  void run_in_folder(const std::string& command) const {
    const std::string line = "cd " + folder_.string() + " && " + command + " 2>log";
    if (std::system(line.c_str()) != 0) throw std::runtime_error(command);
  }

  std::filesystem::path folder_;
};

// Answers every GET with a status page, on a free port.
class TlsServer {
 public:
  explicit TlsServer(const Certificates& certificates) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
               certificates.path("server.pem").c_str(), "-key",
               certificates.path("server.key").c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
    read_port();
  }
  ~TlsServer() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    ::fclose(output_);
  }

  int port() const noexcept { return port_; }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  // The line "ACCEPT 127.0.0.1:34567".
  void read_port() {
    char line[256];
    while (::fgets(line, sizeof line, output_) != nullptr) {
      if (std::sscanf(line, "ACCEPT 127.0.0.1:%d", &port_) == 1) return;
    }
    throw std::runtime_error("openssl s_server did not start");
  }

  pid_t child_ = -1;
  FILE* output_ = nullptr;
  int port_ = 0;
};

}  // namespace flowstore::http
