#include "postgres/endpoint.h"

#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore::postgres {
namespace {

// "a,b" names several servers, of which the one that takes writes is used.
std::vector<std::string> split(const std::string& hosts) {
  std::vector<std::string> names;
  std::size_t from = 0;
  while (true) {
    const auto comma = hosts.find(',', from);
    names.push_back(hosts.substr(from, comma - from));
    if (comma == std::string::npos) return names;
    from = comma + 1;
  }
}

void append(std::string& list, const std::string& item) {
  if (!list.empty()) list += ',';
  list += item;
}

}  // namespace

Task<std::optional<Trouble>> Endpoint::resolve(boost::asio::io_context& loop,
                                               ConnectWords& words) const {
  using boost::asio::ip::tcp;
  std::string hosts;
  std::string addresses;
  std::string failure;
  const bool is_socket = options_.host.starts_with('/');
  if (is_socket) hosts = options_.host;
  for (const std::string& host : is_socket ? std::vector<std::string>() : split(options_.host)) {
    tcp::resolver resolver(loop);
    boost::system::error_code error;
    const boost::asio::use_awaitable_t<> token;
    const auto found = co_await resolver.async_resolve(host, std::to_string(options_.port),
                                                       boost::asio::redirect_error(token, error));
    if (error) failure = "the host " + host + " cannot be found: " + error.message();
    for (const auto& entry : found) {
      append(hosts, host);
      append(addresses, entry.endpoint().address().to_string());
    }
  }
  if (hosts.empty()) co_return Trouble("", failure);

  words = {{"host", hosts},
           {"hostaddr", addresses},
           {"port", std::to_string(options_.port)},
           {"dbname", options_.database},
           {"user", options_.username},
           {"password", std::string(options_.password.reveal())},
           {"sslmode", tls_.mode()},
           {"sslrootcert", tls_.authorities()},
           {"sslcert", options_.cert_file},
           {"sslkey", options_.key_file},
           {"gssencmode", "disable"},
           {"application_name", "flowstore"},
           {"client_encoding", "UTF8"},
           // After a failover the server that was the primary still answers.
           {"target_session_attrs", "read-write"},
           {"keepalives_idle", "30"},
           {"keepalives_interval", "10"},
           {"keepalives_count", "3"},
           {"tcp_user_timeout", std::to_string(options_.patience.count())}};
  co_return std::nullopt;
}

std::string Endpoint::name() const {
  if (options_.host.starts_with('/')) return options_.host;
  return options_.host + ":" + std::to_string(options_.port);
}

}  // namespace flowstore::postgres
