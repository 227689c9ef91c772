#include "server/request_observer.h"

#include <algorithm>
#include <string>

namespace flowstore::server {
namespace {

using http::Exchange;

// "req-1", "req-a", "req-10": counted as Fastify does, in base 36.
std::string request_id(std::uint64_t id) {
  std::string digits;
  do {
    digits.push_back("0123456789abcdefghijklmnopqrstuvwxyz"[id % 36]);
    id /= 36;
  } while (id > 0);
  std::reverse(digits.begin(), digits.end());
  return "req-" + digits;
}

// The client as the first proxy saw it, or the other end of the connection. For logs only: anybody
// can send the header.
std::string_view remote_address(const Exchange& exchange) {
  const std::string_view first = exchange.forwarded_for.substr(0, exchange.forwarded_for.find(','));
  return first.empty() ? std::string_view(exchange.peer->address) : first;
}

std::string object(const LogFields& fields) { return "{" + fields.json() + "}"; }

LogFields with_id(const Exchange& exchange) {
  LogFields fields;
  fields.text("reqId", request_id(exchange.id));
  return fields;
}

LogFields request_fields(const Exchange& exchange) {
  LogFields request;
  request.text("method", exchange.method)
      .text("url", exchange.target)
      .text("host", exchange.host)
      .text("remoteAddress", remote_address(exchange))
      .number("remotePort", exchange.peer->port);
  return with_id(exchange).raw("req", object(request));
}

LogFields response_fields(const Exchange& exchange) {
  LogFields request;
  request.text("url", exchange.target)
      .text("method", exchange.method)
      .text("remoteAddress", remote_address(exchange))
      .number("remotePort", exchange.peer->port);
  LogFields response;
  response.number("statusCode", exchange.status).raw("request", object(request));
  const double milliseconds = std::chrono::duration<double, std::milli>(exchange.duration).count();
  return with_id(exchange).raw("res", object(response)).decimal("responseTime", milliseconds);
}

}  // namespace

RequestObserver::RequestObserver(Log& log, LogLevel http_level, metrics::Registry& registry)
    : log_(log),
      http_level_(http_level),
      registry_(registry),
      connections_(registry.gauge("flowstore_http_connections", "Open client connections.")),
      running_(registry.gauge("flowstore_http_inflight_requests", "Requests being answered.")),
      received_bytes_(registry.counter("flowstore_http_received_bytes_total",
                                       "Bytes of request bodies received.")),
      sent_bytes_(registry.counter("flowstore_http_sent_bytes_total",
                                   "Bytes of response contents sent.")),
      aborted_(registry.counter("flowstore_http_aborted_total",
                                "Requests whose answer did not reach the client whole.")),
      exceptions_(registry.counter("flowstore_unexpected_exceptions_total",
                                   "Requests that ended in a bug of the server.")) {
  registry.add_collector([this](std::string& out) { http_.collect(out); });
}

bool RequestObserver::is_logged(const Exchange& exchange) const noexcept {
  if (!exchange.target.starts_with("/v1/")) return log_.is_on(LogLevel::info);
  return http_level_ <= LogLevel::info;
}

void RequestObserver::started(const Exchange& exchange) noexcept {
  running_.add(1);
  if (!is_logged(exchange)) return;
  log_.write_always(LogLevel::info, "incoming request", request_fields(exchange));
}

void RequestObserver::finished(const Exchange& exchange) noexcept {
  running_.add(-1);
  received_bytes_.add(exchange.bytes_in);
  sent_bytes_.add(exchange.bytes_out);
  if (!exchange.is_complete) aborted_.add();
  http_.observe(exchange.method, exchange.route, exchange.status, exchange.duration);
  if (!is_logged(exchange)) return;
  const bool is_complete = exchange.is_complete;
  log_.write_always(LogLevel::info, is_complete ? "request completed" : "request aborted",
                    response_fields(exchange));
}

void RequestObserver::connections_changed(int difference) noexcept { connections_.add(difference); }

void RequestObserver::rejected(int status) noexcept {
  registry_
      .counter("flowstore_http_rejected_total",
               "Connections ended with a parser-level answer, by its status.",
               {{"status_code", std::to_string(status)}})
      .add();
}

void RequestObserver::handler_threw(const Exchange& exchange, std::string_view what) noexcept {
  exceptions_.add();
  log_.error("unexpected exception", with_id(exchange).text("err", what));
}

}  // namespace flowstore::server
