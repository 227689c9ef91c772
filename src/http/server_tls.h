// ServerTls: the certificate of a listener and its key, loaded anew when their files change.

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "http/tls.h"

struct ssl_ctx_st;

namespace flowstore::http {

// TLS 1.2 and 1.3, with the ciphers and the session tickets of OpenSSL's defaults; clients show no
// certificate. Safe to use from any thread.
class ServerTls {
 public:
  // Told of every reload that happened, and of every one that failed.
  using Listener = std::function<void(const Status&)>;

  // Reads both PEM files: the certificate with those that lead to its authority, and the key
  // without a password. Blocks. Fails in one sentence that names the file.
  static Result<std::unique_ptr<ServerTls>> load(std::string certificate_file,
                                                 std::string key_file);
  ~ServerTls();
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  // From now on looks at the files every `period`, on a thread of its own because they may lie on a
  // network. A change is taken over once it has lasted for a period, so that two files can be
  // replaced one after the other. What cannot be used is told to `listener`, on that thread, and
  // what was in use stays. Once.
  void watch(std::chrono::milliseconds period, Listener listener);

  // The server's end of a connection; nothing has been said yet. Null without memory.
  Tls begin();

 private:
  using Context = std::shared_ptr<ssl_ctx_st>;

  ServerTls(std::string certificate_file, std::string key_file)
      : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

  Result<Context> read() const;
  // Changes with the files; says nothing else.
  std::string stamp() const;
  Status reload();
  void look();
  void run(std::chrono::milliseconds period);

  const std::string certificate_file_;
  const std::string key_file_;
  Listener listener_;
  std::string loaded_stamp_;  // of what was read last, whether it could be used or not
  std::string seen_stamp_;    // at the latest look
  std::mutex mutex_;
  std::condition_variable ending_;
  bool is_ending_ = false;  // guarded by mutex_
  Context context_;         // guarded by mutex_
  std::thread thread_;
};

}  // namespace flowstore::http
