// An S3 store that answers one request after the other as a test has written down.

#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/log.h"
#include "files/s3/client.h"
#include "http/connector.h"
#include "metrics/registry.h"
#include "support/raw_server.h"

namespace flowstore::files::s3 {

// Signatures are not looked at. Safe to use from any thread.
class ScriptedStore {
 public:
  // Bytes on the wire; "" closes the connection.
  void answer(std::string bytes) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(bytes));
  }
  void answer(int status, const std::string& headers, const std::string& body) {
    answer("HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers +
           "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  void refuse(int status, const std::string& code, const std::string& headers = "") {
    answer(status, headers, "<Error><Code>" + code + "</Code></Error>");
  }
  // What was asked so far, one head each.
  std::vector<std::string> heads() {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

  Options options() const {
    Options options;
    options.bucket = "b";
    options.endpoint = "http://127.0.0.1:" + std::to_string(server_.port());
    return options;
  }

 private:
  void serve(RawPeer& peer) {
    for (std::string head = peer.read_head(); !head.empty(); head = peer.read_head()) {
      const std::size_t at = head.find("content-length: ");
      if (at != std::string::npos) peer.read_body(std::stoul(head.substr(at + 16)));
      std::string next;
      {
        const std::lock_guard lock(mutex_);
        heads_.push_back(head);
        if (!answers_.empty()) {
          next = std::move(answers_.front());
          answers_.pop_front();
        }
      }
      if (next.empty()) return;
      peer.send(next);
      // More was promised than is sent: the connection breaks off.
      if (next.find("x-breaks-off") != std::string::npos) return;
    }
  }

  std::mutex mutex_;
  std::deque<std::string> answers_;  // guarded by mutex_
  std::vector<std::string> heads_;   // guarded by mutex_
  RawServer server_{[this](RawPeer& peer) { serve(peer); }};
};

// A client of it, with what that needs.
struct StoreClient {
  StoreClient(ScriptedStore& store, const Clock& clock, aws::CredentialsProvider& credentials)
      : log(LogLevel::silent, LogFormat::json, clock),
        client(*address_of(store.options()), store.options(), connector, credentials, clock, log,
               registry) {}

  Log log;
  metrics::Registry registry;
  http::Trust trust{nullptr};
  http::Connector connector{trust};
  Client client;
};

}  // namespace flowstore::files::s3
