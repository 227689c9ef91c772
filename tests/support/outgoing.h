// What tests of the Connector ask for, and what comes of it.

#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/connector.h"
#include "support/run.h"
#include "support/scripted_peer.h"

namespace flowstore::http {

// No test waits this long; it is the limit at which one fails.
inline constexpr std::chrono::seconds kPatience{30};

// A request whose answer was read to its end.
struct Outcome {
  Outcome() = default;

  int status = 0;  // 0: there was no answer
  std::string body;
  std::string note;     // the header of that name
  std::string code;     // of the error, wherever it came
  std::string message;  // the same
};

inline OutgoingRequest request_for(std::string method, std::string target = "/x") {
  OutgoingRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers.emplace_back("Host", "peer");
  request.connect_timeout = kPatience;
  request.timeout = kPatience;
  return request;
}

inline Origin plain(const ScriptedPeer& peer) { return {"127.0.0.1", peer.port(), false}; }

inline Task<Outcome> fetch(Connector& connector, Origin origin, OutgoingRequest request) {
  Outcome outcome;
  const auto fail = [&outcome](const Error& error) {
    outcome.code = error.code();
    outcome.message = error.message();
  };
  const auto reply = co_await connector.send(origin, std::move(request));
  if (!reply) {
    fail(reply.error());
    co_return outcome;
  }
  outcome.status = (*reply)->status();
  outcome.note = (*reply)->header("note");
  while (true) {
    const auto piece = co_await (*reply)->next();
    if (!piece) fail(piece.error());
    if (!piece || piece->empty()) co_return outcome;
    outcome.body += *piece;
  }
}

// On an event loop of its own.
inline Outcome fetch_now(Connector& connector, Origin origin, OutgoingRequest request) {
  return run(fetch(connector, std::move(origin), std::move(request)));
}

inline std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

// Answers every request without a body.
inline ScriptedPeer::Script always(std::string_view text) {
  return [answer = std::string(text)](PeerEnd& end) {
    while (!end.read_head().empty()) end.send(answer);
  };
}

// Answers one request and ends the connection.
inline ScriptedPeer::Script once(std::string_view text) {
  return [answer = std::string(text)](PeerEnd& end) {
    end.read_head();
    end.send(answer);
  };
}

// So many bytes, in pieces of 64 KiB that are all the same memory.
class EndlessSource final : public ByteSource {
 public:
  explicit EndlessSource(std::uint64_t size) : size_(size), piece_(65536, 'x') {}

  // Bytes that have been asked for. Any thread.
  std::uint64_t given() const noexcept { return given_; }

  Task<Result<std::string_view>> next() override {
    const auto count = std::min<std::uint64_t>(piece_.size(), size_ - given_);
    given_ += count;
    co_return std::string_view(piece_).substr(0, count);
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::uint64_t size_;
  std::string piece_;
  std::atomic<std::uint64_t> given_ = 0;
};

}  // namespace flowstore::http
