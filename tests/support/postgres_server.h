// A PostgreSQL server of the test's own, and a PgBouncer in front of it.

#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace flowstore {

// Who may log in everywhere.
inline constexpr const char* kPostgresUser = "postgres";
inline constexpr const char* kPostgresPassword = "wonder-wheel";

namespace postgres_support {

using Words = std::vector<std::string>;

// PostgreSQL and PgBouncer refuse to run as root.
inline Words as_postgres(Words command) {
  if (::geteuid() != 0) return command;
  Words words = {"setpriv",        "--reuid=postgres", "--regid=postgres",
                 "--clear-groups", "--pdeathsig=QUIT", "--"};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

// A process with its own process group, its output in a file. Killed with its children when the
// test dies.
inline pid_t start(const Words& command, const std::string& log) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvp(words.front(), words.data());
    ::_exit(127);
  }
  if (child < 0) throw std::runtime_error("fork");
  ::setpgid(child, child);
  return child;
}

inline int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

inline void run(const Words& command, const std::string& log) {
  if (wait_for(start(command, log)) != 0) {
    throw std::runtime_error(command.front() + " failed; see " + log);
  }
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port that nobody uses, below those that the kernel gives to outgoing connections.
inline std::uint16_t free_port() {
  std::random_device random;
  while (true) {
    const auto port = static_cast<std::uint16_t>(12000 + random() % 18000);
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool is_free =
        ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (is_free) return port;
  }
}

// Until it lets clients in: a server listens before it has recovered.
inline void wait_until_ready(const std::string& pg_isready, std::uint16_t port,
                             const std::string& log) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    const Words question = {pg_isready, "-q", "-h", "127.0.0.1", "-p", std::to_string(port)};
    if (wait_for(start(question, log)) == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("no server on port " + std::to_string(port) + "; see " + log);
}

// Where PostgreSQL's programs are. Looked up once: a folder that is read while other threads open
// and close sockets confuses the thread sanitizer.
inline const std::string& binaries() {
  static const std::string found = [] {
    std::string newest;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
      newest = std::max(newest, entry.path().string());
    }
    return newest + "/bin";
  }();
  return found;
}

// A folder that goes with the test, for files of another user.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "flowstore-pg-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
    give(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const noexcept { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

  void write(std::string_view name, std::string_view text) const {
    std::ofstream(file(name)) << text;
    give(file(name));
  }

 private:
  static void give(const std::string& path) {
    if (::geteuid() == 0) run({"chown", "postgres:postgres", path}, "/dev/null");
  }

  std::string path_;
};

}  // namespace postgres_support

// Listens on 127.0.0.1, and on 127.0.0.2 which its certificate does not name; with scram passwords,
// and TLS for those who want it. Data go with the object.
class PostgresServer {
 public:
  enum class Disk : std::uint8_t { none, honest };  // whether fsync is on: slower, survives a kill

  explicit PostgresServer(Disk disk = Disk::none)
      : disk_(disk), port_(postgres_support::free_port()) {
    folder_.write("password", kPostgresPassword);
    make_certificates();
    postgres_support::run(
        postgres_support::as_postgres({postgres_support::binaries() + "/initdb", "-D",
                                       folder_.file("data"), "-U", kPostgresUser, "-A",
                                       "scram-sha-256", "--pwfile=" + folder_.file("password"),
                                       "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"}),
        log());
    start();
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() { kill(); }

  std::uint16_t port() const noexcept { return port_; }
  // The authority that signed the server's certificate, which is for localhost and 127.0.0.1.
  std::string authority() const { return folder_.file("ca.crt"); }
  // One that did not.
  std::string wrong_authority() const { return folder_.file("other.crt"); }

  // Connections for all: a PgBouncer keeps some to the database of every test that has been.
  void start() {
    const std::string data = folder_.file("data");
    const char* fsync = disk_ == Disk::none ? "fsync=off" : "fsync=on";
    server_ = postgres_support::start(
        postgres_support::as_postgres(
            {postgres_support::binaries() + "/postgres", "-D", data, "-p", std::to_string(port_),
             "-k", folder_.path(), "-c", "listen_addresses=127.0.0.1,127.0.0.2", "-c", fsync, "-c",
             "ssl=on", "-c", "ssl_cert_file=" + folder_.file("server.crt"), "-c",
             "ssl_key_file=" + folder_.file("server.key"), "-c", "max_connections=300"}),
        log());
    postgres_support::wait_until_ready(postgres_support::binaries() + "/pg_isready", port_, log());
  }

  // Like a restart by an operator: clients are told.
  void stop() { end(SIGINT); }
  // Like a power cut of the machine it runs on.
  void kill() { end(SIGKILL); }

 private:
  std::string log() const { return folder_.file("log"); }

  void end(int signal) {
    if (server_ < 0) return;
    // Its children too, where it has no chance to tell them.
    ::kill(signal == SIGKILL ? -server_ : server_, signal);
    postgres_support::wait_for(std::exchange(server_, -1));
  }

  void openssl(const postgres_support::Words& words) const {
    postgres_support::Words command = {"openssl"};
    command.insert(command.end(), words.begin(), words.end());
    postgres_support::run(postgres_support::as_postgres(command), log());
  }

  void make_authority(const std::string& name) const {
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "30", "-subj", "/CN=" + name, "-keyout", folder_.file(name + ".key"), "-out",
             folder_.file(name + ".crt")});
  }

  void make_certificates() const {
    make_authority("ca");
    make_authority("other");
    folder_.write("extensions", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             "/CN=localhost", "-keyout", folder_.file("server.key"), "-out",
             folder_.file("server.csr")});
    openssl({"x509", "-req", "-in", folder_.file("server.csr"), "-CA", folder_.file("ca.crt"),
             "-CAkey", folder_.file("ca.key"), "-CAcreateserial", "-days", "30", "-extfile",
             folder_.file("extensions"), "-out", folder_.file("server.crt")});
  }

  Disk disk_;
  std::uint16_t port_;
  postgres_support::Folder folder_;
  pid_t server_ = -1;
};

// PgBouncer in transaction mode.
class PgBouncer {
 public:
  // `connections`: to the server, for each database.
  PgBouncer(std::uint16_t server_port, int connections) : port_(postgres_support::free_port()) {
    folder_.write("users",
                  "\"" + std::string(kPostgresUser) + "\" \"" + kPostgresPassword + "\"\n");
    folder_.write(
        "pgbouncer.ini",
        "[databases]\n* = host=127.0.0.1 port=" + std::to_string(server_port) +
            "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(port_) +
            "\nauth_type = scram-sha-256\nauth_file = " + folder_.file("users") +
            "\npool_mode = transaction\ndefault_pool_size = " + std::to_string(connections) +
            "\nmax_client_conn = 200\nunix_socket_dir =\nserver_round_robin = 1\n");
    process_ = postgres_support::start(
        postgres_support::as_postgres({"pgbouncer", folder_.file("pgbouncer.ini")}),
        folder_.file("log"));
    postgres_support::wait_until_ready(postgres_support::binaries() + "/pg_isready", port_,
                                       folder_.file("log"));
  }
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;
  ~PgBouncer() {
    ::kill(process_, SIGKILL);
    postgres_support::wait_for(process_);
  }

  std::uint16_t port() const noexcept { return port_; }

 private:
  std::uint16_t port_;
  postgres_support::Folder folder_;
  pid_t process_ = -1;
};

// The server that the tests of a program share; each takes a database of its own.
inline PostgresServer& shared_postgres() {
  static PostgresServer server;
  return server;
}

}  // namespace flowstore
