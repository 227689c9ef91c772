#include "http/look_up.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore::http {
namespace {

using boost::asio::ip::tcp;

// What the look-up and the task that waits for it share; the last of them takes it away. The timer
// is what is waited for: it expires at the deadline, or as soon as there is something to know.
struct LookUp {
  explicit LookUp(const Executor& executor) : resolver(executor), timer(executor) {}

  tcp::resolver resolver;
  boost::asio::steady_timer timer;
  std::optional<boost::system::error_code> outcome;  // none: not there yet
  tcp::resolver::results_type found;
};

Error failed(const std::string& host, const std::string& what) {
  return {ErrorKind::unavailable, "look_up", "the name " + host + " " + what};
}

void start(const std::shared_ptr<LookUp>& asked, const std::string& host, std::uint16_t port) {
  asked->resolver.async_resolve(
      host, std::to_string(port),
      [asked](const boost::system::error_code& error, tcp::resolver::results_type found) {
        asked->outcome = error;
        asked->found = std::move(found);
        asked->timer.cancel();
      });
}

}  // namespace

Task<Result<std::vector<tcp::endpoint>>> look_up(std::string host, std::uint16_t port,
                                                 Instant deadline) {
  std::vector<tcp::endpoint> endpoints;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (!error) {
    endpoints.emplace_back(address, port);
    co_return endpoints;
  }
  const Executor executor = co_await boost::asio::this_coro::executor;
  const auto asked = std::make_shared<LookUp>(executor);
  asked->timer.expires_at(deadline);
  start(asked, host, port);
  const boost::asio::use_awaitable_t<> token;
  co_await asked->timer.async_wait(boost::asio::redirect_error(token, error));
  if (!asked->outcome) co_return failed(host, "was not looked up in time");
  if (*asked->outcome) co_return failed(host, "was not found: " + asked->outcome->message());
  std::transform(asked->found.begin(), asked->found.end(), std::back_inserter(endpoints),
                 [](const auto& entry) { return entry.endpoint(); });
  co_return endpoints;
}

}  // namespace flowstore::http
