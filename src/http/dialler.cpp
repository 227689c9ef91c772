#include "http/dialler.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace flowstore::http {
namespace {

using boost::asio::ip::tcp;
using std::chrono::steady_clock;

Error failed(std::string reason) { return {ErrorKind::unavailable, "dial", std::move(reason)}; }

std::string text_of(int error) { return std::system_category().message(error); }

bool is_address(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

void set_options(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

}  // namespace

void Dialler::FreeContext::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

Dialler::Dialler(const Trust& trust) : context_(SSL_CTX_new(TLS_client_method())) {
  if (!context_) throw std::runtime_error("OpenSSL cannot be started");
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (trust.file().empty()) {
    SSL_CTX_set_default_verify_paths(context_.get());
  } else {
    SSL_CTX_load_verify_file(context_.get(), trust.file().c_str());
  }
  ERR_clear_error();
}

Dialler::~Dialler() = default;

Task<Result<std::unique_ptr<Wire>>> Dialler::dial(const Origin& origin, Instant deadline) {
  FLOWSTORE_CO_TRY(const auto endpoints, co_await resolve(origin, deadline));
  Error last = failed("the name has no address");
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto now = steady_clock::now();
    const auto share = (deadline - now) / static_cast<int>(endpoints.size() - i);
    auto wire = co_await dial_one(origin, endpoints[i], now + share);
    if (wire) co_return wire;
    last = std::move(wire).error();
  }
  co_return failed(origin.host + ":" + std::to_string(origin.port) + ": " + last.message());
}

Task<Result<std::vector<Dialler::Endpoint>>> Dialler::resolve(const Origin& origin,
                                                              Instant deadline) {
  std::vector<Endpoint> endpoints;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(origin.host, error);
  if (!error) {
    endpoints.emplace_back(address, origin.port);
    co_return endpoints;
  }
  // A look-up cannot be stopped, but what it finds later goes nowhere.
  const Executor executor = co_await boost::asio::this_coro::executor;
  tcp::resolver resolver(executor);
  boost::asio::steady_timer timer(executor);
  timer.expires_at(deadline);
  bool is_late = false;
  timer.async_wait([&resolver, &is_late](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    is_late = true;
    resolver.cancel();
  });
  const boost::asio::use_awaitable_t<> token;
  const auto found = co_await resolver.async_resolve(origin.host, std::to_string(origin.port),
                                                     boost::asio::redirect_error(token, error));
  timer.cancel();
  if (is_late) co_return failed("the name " + origin.host + " was not looked up in time");
  if (error) co_return failed("the name " + origin.host + " was not found: " + error.message());
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

Task<Result<std::unique_ptr<Wire>>> Dialler::dial_one(const Origin& origin,
                                                      const Endpoint& endpoint, Instant deadline) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  FLOWSTORE_CO_TRY(Line line, begin(origin, endpoint));
  auto wire = std::make_unique<Wire>(executor, std::move(line));
  FLOWSTORE_CO_TRY_STATUS(co_await wire->open(deadline));
  co_return wire;
}

Result<Line> Dialler::begin(const Origin& origin, const Endpoint& endpoint) const {
  Line line;
  line.socket = FileDescriptor(::socket(endpoint.data()->sa_family,
                                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!line.socket) return failed(text_of(errno));
  set_options(line.socket.get());
  const auto size = static_cast<socklen_t>(endpoint.size());
  const bool is_begun = ::connect(line.socket.get(), endpoint.data(), size) == 0 ||
                        errno == EINPROGRESS || errno == EINTR;
  if (!is_begun) return failed(text_of(errno));
  if (origin.is_tls) line.tls = session_for(origin, line.socket.get());
  return line;
}

Tls Dialler::session_for(const Origin& origin, int socket) const {
  Tls session(SSL_new(context_.get()));
  if (!session) throw std::bad_alloc();
  attach(session.get(), socket);
  SSL_set_connect_state(session.get());
  if (is_address(origin.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), origin.host.c_str());
  } else {
    // The macro for it has a cast of C's.
    SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(origin.host.c_str()));
    SSL_set1_host(session.get(), origin.host.c_str());
  }
  return session;
}

}  // namespace flowstore::http
