#include "http/server.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
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

// `advice` is what the operator can do about it.
Error cannot_listen(const std::string& place, const boost::system::error_code& error,
                    std::string_view advice) {
  return Error(ErrorKind::unavailable, "EADDR",
               "cannot listen on " + place + ": " + error.message() + "; " + std::string(advice));
}

std::string place_of(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const bool is_v6 = endpoint.address().is_v6();
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

std::string advice_on(const boost::system::error_code& error, const ServerOptions& options) {
  namespace errc = boost::system::errc;
  if (error == errc::address_in_use) {
    return "stop what uses the port or set another one (" + options.port_option + ")";
  }
  if (error == errc::permission_denied) {
    return "set a port above 1023 (" + options.port_option + ")";
  }
  return "set " + options.host_option + " to an address of this machine";
}

// "localhost" is often both 127.0.0.1 and ::1; where one of them is off, the other is enough.
bool is_off(const boost::system::error_code& error) {
  namespace errc = boost::system::errc;
  return error == errc::address_not_available || error == errc::address_family_not_supported;
}

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

  Status start() {
    FLOWSTORE_TRY_STATUS(listen());
    for (auto& loop : loops_) loop->start();
    for (auto& acceptor : acceptors_) spawn(loops_[0]->executor(), "accept", accept(acceptor));
    return {};
  }

  std::vector<std::string> addresses() const {
    std::vector<std::string> out;
    for (const tcp::endpoint& endpoint : endpoints_) out.push_back(place_of(endpoint));
    return out;
  }

  std::uint16_t port() const { return endpoints_.empty() ? options_.port : endpoints_[0].port(); }
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
  Status listen() {
    boost::system::error_code error;
    tcp::resolver resolver(loops_[0]->context());
    const auto found = resolver.resolve(options_.host, std::to_string(options_.port),
                                        tcp::resolver::passive, error);
    if (error) {
      const std::string place = options_.host + ":" + std::to_string(options_.port);
      return cannot_listen(
          place, error, "set " + options_.host_option + " to a name that this machine can resolve");
    }
    std::optional<Error> failed;
    for (const auto& entry : found) {
      tcp::endpoint endpoint = entry.endpoint();
      // With port 0 every address gets the port that the first one was given.
      if (!endpoints_.empty()) endpoint.port(endpoints_[0].port());
      if (std::find(endpoints_.begin(), endpoints_.end(), endpoint) != endpoints_.end()) continue;
      if (open(endpoint, error)) continue;
      failed = cannot_listen(place_of(endpoint), error, advice_on(error, options_));
      if (!is_off(error)) return *failed;
    }
    if (acceptors_.empty() && failed) return *failed;
    return {};
  }

  bool open(const tcp::endpoint& endpoint, boost::system::error_code& error) {
    tcp::acceptor acceptor(loops_[0]->context());
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6() && endpoint.address().to_v6().is_loopback()) {
      acceptor.set_option(boost::asio::ip::v6_only(true), error);
    }
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
    if (error) return false;
    endpoints_.push_back(acceptor.local_endpoint());
    acceptors_.push_back(std::move(acceptor));
    return true;
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
  std::vector<tcp::endpoint> endpoints_;
};

Server::Server(ServerOptions options, Handler& handler, Observer& observer, BlockingPool& disk,
               const Clock& clock)
    : running_(std::make_unique<Running>(std::move(options), handler, observer, disk, clock)) {}

Server::~Server() { running_->stop(std::chrono::milliseconds(0)); }

Status Server::start() { return running_->start(); }
std::vector<std::string> Server::addresses() const { return running_->addresses(); }
std::uint16_t Server::port() const { return running_->port(); }
Executor Server::executor() const { return running_->executor(); }
bool Server::stop(std::chrono::milliseconds grace) { return running_->stop(grace); }

}  // namespace flowstore::http
