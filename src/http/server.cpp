#include "http/server.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/event_loop.h"
#include "http/response_writer.h"
#include "http/session.h"

namespace flowstore::http {
namespace {

using boost::asio::ip::tcp;
constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

// How often a stopping server looks whether its connections are gone.
constexpr std::chrono::milliseconds kStopPoll{5};

// How long a server without free descriptors waits before it tries to accept again.
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

class Server::Running {
 public:
  Running(ServerOptions options, Handler& handler, Observer& observer, BlockingPool& disk,
          const Clock& clock)
      : options_(std::move(options)), environment_{options_.limits, handler, observer, disk,
                                                   clock,           {},      nullptr} {
    environment_.next_request_id = 1;
    environment_.tls = options_.tls;
    for (std::size_t i = 0; i < std::max<std::size_t>(options_.loops, 1); ++i) {
      loops_.push_back(std::make_unique<EventLoop>(environment_));
    }
  }

  Status start(Sockets sockets) {
    FLOWSTORE_TRY_STATUS(listen_on(sockets, options_));
    for (FileDescriptor& socket : sockets) accept_from(std::move(socket));
    for (auto& loop : loops_) loop->start();
    for (auto& acceptor : acceptors_) spawn(loops_[0]->executor(), "accept", accept(acceptor));
    return {};
  }

  const std::vector<std::string>& addresses() const noexcept { return addresses_; }
  Clock::Duration longest_silence() const {
    Clock::Instant oldest = Clock::Instant::max();
    for (const auto& loop : loops_) oldest = std::min(oldest, loop->last_sweep());
    return environment_.clock.now() - oldest;
  }

  const ListenOptions& listening() const noexcept { return options_; }
  std::uint16_t port() const noexcept { return port_ != 0 ? port_ : options_.port; }
  Executor executor() const { return loops_[0]->executor(); }

  bool stop(std::chrono::milliseconds grace) {
    auto close = [this] {
      boost::system::error_code ignored;
      for (auto& acceptor : acceptors_) acceptor.close(ignored);
    };
    boost::asio::post(loops_[0]->context(), close);
    for (auto& loop : loops_) loop->drain();
    const bool is_drained = wait_for_connections(grace);
    if (!is_drained) {
      for (auto& loop : loops_) loop->abort();
      // Broken-off sessions end as soon as their handlers do.
      wait_for_connections(std::chrono::seconds(1));
    }
    for (auto& loop : loops_) loop->stop();
    return is_drained;
  }

 private:
  void accept_from(FileDescriptor socket) {
    addresses_.push_back(address_of(socket));
    const auto protocol = is_v6(socket) ? tcp::v6() : tcp::v4();
    acceptors_.emplace_back(loops_[0]->context(), protocol, socket.release());
    if (port_ == 0) port_ = acceptors_[0].local_endpoint().port();
  }

  // One loop accepts for all and hands each connection to the one that has fewest: with a listening
  // socket per loop the kernel would spread them by a hash, and a few long-lived connections often
  // land on one core. See docs/decisions/0001-http-core.md.
  Task<> accept(tcp::acceptor& acceptor) {
    boost::asio::steady_timer pause(loops_[0]->context());
    while (acceptor.is_open()) {
      EventLoop& loop = least_busy();
      auto [error, socket] = co_await acceptor.async_accept(loop.context(), kAwait);
      if (!error) {
        welcome(loop, std::move(socket));
      } else if (error != boost::asio::error::operation_aborted &&
                 error != boost::asio::error::connection_aborted) {
        // Out of descriptors or memory: the queue of the kernel keeps the others waiting.
        pause.expires_after(kAcceptPause);
        co_await pause.async_wait(kAwait);
      }
    }
  }

  EventLoop& least_busy() {
    return **std::min_element(loops_.begin(), loops_.end(), [](const auto& a, const auto& b) {
      return a->connections() < b->connections();
    });
  }

  void welcome(EventLoop& loop, tcp::socket socket) {
    std::size_t open = 0;
    for (const auto& each : loops_) open += each->connections();
    if (open >= environment_.limits.connections) {
      if (options_.tls == nullptr) refuse(socket);
      environment_.observer.rejected(503);
      return;
    }
    loop.expect_connection();
    spawn(loop.executor(), "session", serve(loop, std::move(socket)));
  }

  // Not worth waiting for: whoever does not take it at once learns it from the closing.
  static void refuse(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    const std::string_view answer = parser_level_answer(503);
    socket.write_some(boost::asio::buffer(answer.data(), answer.size()), ignored);
  }

  bool wait_for_connections(std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      const bool is_empty = std::all_of(loops_.begin(), loops_.end(),
                                        [](const auto& loop) { return loop->connections() == 0; });
      if (is_empty) return true;
      if (std::chrono::steady_clock::now() >= deadline) return false;
      std::this_thread::sleep_for(kStopPoll);
    }
  }

  ServerOptions options_;
  Environment environment_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::vector<tcp::acceptor> acceptors_;
  std::uint16_t port_ = 0;  // of the first; a stop closes them on their loop
  std::vector<std::string> addresses_;
};

Server::Server(ServerOptions options, Handler& handler, Observer& observer, BlockingPool& disk,
               const Clock& clock)
    : running_(std::make_unique<Running>(std::move(options), handler, observer, disk, clock)) {}

Server::~Server() { running_->stop(std::chrono::milliseconds(0)); }

Status Server::start(Sockets sockets) { return running_->start(std::move(sockets)); }

Status Server::start() {
  FLOWSTORE_TRY(Sockets sockets, bind_sockets(running_->listening()));
  return start(std::move(sockets));
}

Clock::Duration Server::longest_silence() const { return running_->longest_silence(); }
std::vector<std::string> Server::addresses() const { return running_->addresses(); }
std::uint16_t Server::port() const { return running_->port(); }
Executor Server::executor() const { return running_->executor(); }
bool Server::stop(std::chrono::milliseconds grace) { return running_->stop(grace); }

}  // namespace flowstore::http
