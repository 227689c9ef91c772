// A server that does on the wire exactly what a test tells it to, plain or through TLS.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"
#include "support/listener.h"
#include "support/test_authority.h"

namespace flowstore {

// The server's end of one connection. Everything blocks.
class PeerEnd {
 public:
  // `index` counts the server's connections from 0; `session` may be null: plain.
  PeerEnd(FileDescriptor socket, int index, SSL* session)
      : socket_(std::move(socket)), index_(index), session_(session) {
    if (session_) SSL_set_fd(session_.get(), socket_.get());
  }

  int index() const noexcept { return index_; }
  int descriptor() const noexcept { return socket_.get(); }
  SSL* session() const noexcept { return session_.get(); }

  // False if the client does not like what it is shown. Nothing to do without TLS.
  bool shake_hands() { return !session_ || SSL_accept(session_.get()) == 1; }

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
  // So many bytes, or fewer if the client has gone.
  std::string read_body(std::size_t size) {
    while (buffer_.size() < size && read_more()) {
    }
    std::string body = buffer_.substr(0, size);
    buffer_.erase(0, body.size());
    return body;
  }
  // The same, thrown away; how many came.
  std::size_t skip_body(std::size_t size) {
    std::size_t skipped = 0;
    do {
      const std::size_t count = std::min(buffer_.size(), size - skipped);
      buffer_.erase(0, count);
      skipped += count;
    } while (skipped < size && read_more());
    return skipped;
  }
  // Until the client closes the connection.
  void wait_for_end() {
    while (read_more()) buffer_.clear();
  }

  // False if the client has gone.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = session_ ? SSL_write(session_.get(), text.data(), size_for_tls(text))
                                    : ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // TLS only: says that nothing more comes.
  void say_goodbye() { SSL_shutdown(session_.get()); }
  // Ends it with a reset instead of a farewell.
  void reset() {
    const std::lock_guard lock(closing_);
    const linger now{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_ = FileDescriptor();
  }
  // Ends what goes on. Any thread.
  void break_off() {
    const std::lock_guard lock(closing_);
    if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
  }

 private:
  struct FreeSession {
    void operator()(SSL* session) const noexcept { SSL_free(session); }
  };

  static int size_for_tls(std::string_view text) {
    return static_cast<int>(std::min<std::size_t>(text.size(), 1U << 20U));
  }

  bool read_more() {
    char bytes[65536];
    const ssize_t got = session_ ? SSL_read(session_.get(), bytes, sizeof bytes)
                                 : ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  std::mutex closing_;
  FileDescriptor socket_;
  int index_;
  std::unique_ptr<SSL, FreeSession> session_;
  std::string buffer_;
};

// Listens on a free port of 127.0.0.1 and does what the script says with every connection, each on
// a thread of its own; the connection ends with the script.
class ScriptedPeer {
 public:
  using Script = std::function<void(PeerEnd&)>;

  explicit ScriptedPeer(Script script) : script_(std::move(script)) { listen(); }
  // Through TLS.
  ScriptedPeer(const TestIdentity& identity, Script script) : script_(std::move(script)) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
    listen();
  }
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  // Breaks off what still goes on.
  ~ScriptedPeer() {
    ::shutdown(listener_.socket.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
      for (PeerEnd* const end : ends_) end->break_off();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  std::uint16_t port() const noexcept { return listener_.port; }
  // That have been accepted so far.
  int connections() const noexcept { return connections_; }
  // Of those, the ones that have not been closed here.
  int open_connections() const noexcept { return connections_ - ended_; }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  };

  void listen() {
    acceptor_ = std::thread([this] { accept(); });
  }

  void accept() {
    while (true) {
      FileDescriptor socket(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      const int index = connections_++;
      const std::lock_guard lock(mutex_);
      threads_.emplace_back(
          [this, index, socket = std::move(socket)]() mutable { serve(index, std::move(socket)); });
    }
  }

  void serve(int index, FileDescriptor socket) {
    // OpenSSL writes in a way that raises it when the client has gone.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    talk(index, std::move(socket));
    ++ended_;
  }

  void talk(int index, FileDescriptor socket) {
    PeerEnd end(std::move(socket), index, context_ ? SSL_new(context_.get()) : nullptr);
    {
      const std::lock_guard lock(mutex_);
      if (is_over_) return;
      ends_.push_back(&end);
    }
    if (end.shake_hands()) script_(end);
    const std::lock_guard lock(mutex_);
    ends_.remove(&end);
  }

  Script script_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  const Listener listener_ = listen_on_loopback();
  std::atomic<int> connections_ = 0;
  std::atomic<int> ended_ = 0;
  std::mutex mutex_;
  bool is_over_ = false;            // guarded by mutex_
  std::list<PeerEnd*> ends_;        // guarded by mutex_
  std::list<std::thread> threads_;  // made by the acceptor, joined when that has ended
  std::thread acceptor_;
};

}  // namespace flowstore
