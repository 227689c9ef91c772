// A real Server on a free port whose handler does what the path says, and an Observer that
// remembers what it was told.

#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/blocking_pool.h"
#include "http/server.h"
#include "support/manual_clock.h"

namespace flowstore::http {

// Yields the given pieces; "!" fails, "?" throws.
class ScriptedSource final : public ByteSource {
 public:
  ScriptedSource(std::vector<std::string> pieces, std::optional<std::uint64_t> size)
      : pieces_(std::move(pieces)), size_(size) {}

  Task<Result<std::string_view>> next() override {
    if (next_ == pieces_.size()) co_return std::string_view();
    const std::string& piece = pieces_[next_++];
    if (piece == "!") co_return Error(ErrorKind::unavailable, "EGONE", "gone");
    if (piece == "?") throw std::runtime_error("thrown by a source");
    co_return std::string_view(piece);
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
  std::optional<std::uint64_t> size_;
};

class ScriptedHandler final : public Handler {
 public:
  std::string file_path;                   // what /file answers with
  std::atomic<bool> is_open = false;       // what /gate waits for
  std::atomic<std::int64_t> modified = 0;  // what /modified says, in seconds since 1970
  std::atomic<int> waiting = 0;            // requests that have come to the gate

  Task<Response> handle(Request& request) override {
    count_thread();
    request.set_route("/route");
    const std::string_view target = request.target();
    if (target == "/echo") co_return co_await echo(request);
    if (target == "/count") co_return co_await count(request, false);
    if (target == "/gate-count") co_return co_await count(request, true);
    if (target == "/half") co_return co_await read_half(request);
    if (target == "/gate") co_return co_await answer_behind_gate();
    if (target == "/until-left") co_return co_await wait_until_left(request);
    if (target == "/throw") throw std::runtime_error("thrown by a handler");
    if (target == "/file") co_return file_answer();
    if (target == "/modified") co_return modified_answer();
    co_return fixed_answer(request);
  }

  // Requests per thread, that is per loop.
  std::map<std::thread::id, int> threads() {
    const std::lock_guard lock(mutex_);
    return threads_;
  }

 private:
  static Response text(std::string body) {
    Response response;
    response.content_type = "text/plain";
    response.content = Content(std::move(body));
    return response;
  }

  static Response stream(std::vector<std::string> pieces, std::optional<std::uint64_t> size) {
    Response response;
    response.content = Content(std::make_unique<ScriptedSource>(std::move(pieces), size));
    return response;
  }

  static Response fixed_answer(const Request& request) {
    const std::string_view target = request.target();
    if (target == "/ignore") return text("ignored");
    if (target == "/big") return text(std::string(8 << 20, 'b'));
    if (target == "/sized") return stream({"one", "two", "three"}, 11);
    if (target == "/unsized") return stream({"one", "two", "three"}, {});
    if (target == "/too-short") return stream({"one"}, 11);
    if (target == "/too-long") return stream({"one", "HTTP/1.1 200 OK\r\n"}, 5);
    if (target == "/breaks") return stream({"one", "!"}, {});
    if (target == "/throws-late") return stream({"one", "?"}, {});
    Response response = text(std::string(request.method()) + " " + std::string(target));
    if (target == "/204") response.status = 204;
    if (target == "/304") response.status = 304;
    if (target == "/close") response.close = true;
    return response;
  }

  static Response aborted() { return Response(400); }

  static Task<Response> echo(Request& request) {
    std::string body;
    while (true) {
      const auto piece = co_await request.body().next();
      if (!piece) co_return aborted();
      if (piece->empty()) co_return text(std::move(body));
      body += *piece;
    }
  }

  Task<Response> count(Request& request, bool is_gated) {
    if (is_gated) co_await pass_gate();
    std::uint64_t bytes = 0;
    while (true) {
      const auto piece = co_await request.body().next();
      if (!piece) co_return aborted();
      if (piece->empty()) co_return text(std::to_string(bytes));
      bytes += piece->size();
    }
  }

  static Task<Response> read_half(Request& request) {
    const auto piece = co_await request.body().next();
    co_return text(piece ? "half" : "nothing");
  }

  Task<Response> answer_behind_gate() {
    co_await pass_gate();
    co_return text("passed");
  }

  Task<Response> wait_until_left(Request& request) {
    const auto piece = co_await request.body().next();
    if (!piece) co_return aborted();
    ++waiting;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!request.caller().has_left() && !is_open) {
      timer.expires_after(std::chrono::milliseconds(2));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return text(request.caller().has_left() ? "left" : "there");
  }

  Task<> pass_gate() {
    ++waiting;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!is_open) {
      timer.expires_after(std::chrono::milliseconds(2));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
  }

  Response file_answer() const {
    FileDescriptor file(::open(file_path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat attributes {};
    ::fstat(file.get(), &attributes);
    Response response;
    const auto size = static_cast<std::uint64_t>(attributes.st_size);
    response.content = Content(Content::File(std::move(file), size));
    return response;
  }

  Response modified_answer() const {
    Response response = text("old or new");
    response.last_modified = std::chrono::sys_seconds(std::chrono::seconds(modified));
    return response;
  }

  void count_thread() {
    const std::lock_guard lock(mutex_);
    ++threads_[std::this_thread::get_id()];
  }

  std::mutex mutex_;
  std::map<std::thread::id, int> threads_;
};

// What an Exchange said, kept beyond the call.
struct Seen {
  std::uint64_t id = 0;
  std::string method;
  std::string target;
  std::string host;
  std::string peer;
  std::string forwarded_for;
  std::string route;
  int status = 0;
  std::chrono::steady_clock::duration duration{};
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  bool is_complete = false;
};

class RecordingObserver final : public Observer {
 public:
  void started(const Exchange& exchange) noexcept override {
    const std::lock_guard lock(mutex_);
    started_.push_back(seen(exchange));
  }
  void finished(const Exchange& exchange) noexcept override {
    const std::lock_guard lock(mutex_);
    finished_.push_back(seen(exchange));
  }
  void connections_changed(int difference) noexcept override { connections_ += difference; }
  void rejected(int status) noexcept override {
    const std::lock_guard lock(mutex_);
    rejected_.push_back(status);
  }
  void handler_threw(const Exchange&, std::string_view what) noexcept override {
    const std::lock_guard lock(mutex_);
    threw_.emplace_back(what);
  }

  void handshake_failed() noexcept override { ++failed_handshakes_; }

  std::vector<Seen> started() { return copy(started_); }
  std::vector<int> rejected() { return copy(rejected_); }
  std::vector<std::string> threw() { return copy(threw_); }
  int connections() const { return connections_; }
  int failed_handshakes() const { return failed_handshakes_; }

  // The finished exchanges, once there are `count` of them: a client may have its answer before
  // the session reports it.
  std::vector<Seen> finished(std::size_t count) {
    for (int i = 0; i < 5000 && copy(finished_).size() < count; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return copy(finished_);
  }

 private:
  static Seen seen(const Exchange& exchange) {
    Seen out;
    out.id = exchange.id;
    out.method = exchange.method;
    out.target = exchange.target;
    out.host = exchange.host;
    out.peer = exchange.peer->address;
    out.forwarded_for = exchange.forwarded_for;
    out.route = exchange.route;
    out.status = exchange.status;
    out.duration = exchange.duration;
    out.bytes_in = exchange.bytes_in;
    out.bytes_out = exchange.bytes_out;
    out.is_complete = exchange.is_complete;
    return out;
  }

  template <class T>
  std::vector<T> copy(const std::vector<T>& from) {
    const std::lock_guard lock(mutex_);
    return from;
  }

  std::mutex mutex_;
  std::vector<Seen> started_;
  std::vector<Seen> finished_;
  std::vector<int> rejected_;
  std::vector<std::string> threw_;
  std::atomic<int> connections_ = 0;
  std::atomic<int> failed_handshakes_ = 0;
};

struct ScriptedServer {
  explicit ScriptedServer(ServerOptions options = ServerOptions())
      : server(on_free_port(std::move(options)), handler, observer, disk, clock) {
    const Status started = server.start();
    if (!started) throw std::runtime_error(started.error().message());
  }

  std::uint16_t port() const { return server.port(); }

  // Waits until `count` requests stand at the gate.
  void wait_for_gate(int count) {
    while (handler.waiting < count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  ManualClock clock;
  ScriptedHandler handler;
  RecordingObserver observer;
  BlockingPool disk{1};
  Server server;

 private:
  static ServerOptions on_free_port(ServerOptions options) {
    options.host = "127.0.0.1";
    options.port = 0;
    return options;
  }
};

}  // namespace flowstore::http
