#include "server/request_observer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace flowstore::server {
namespace {

using http::Exchange;

// "req-1", "req-a", "req-10": counted as Fastify does, in base 36.
void add_id(LogFields& fields, const Exchange& exchange) {
  std::array<char, 24> text = {'r', 'e', 'q', '-'};
  const auto end = std::to_chars(text.data() + 4, text.data() + text.size(), exchange.id, 36).ptr;
  fields.text("reqId", std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

// The client as the first proxy saw it, or the other end of the connection. The old server trusts
// X-Forwarded-For whoever sends it, so this is for logs and never for a decision.
std::string_view remote_address(const Exchange& exchange) {
  constexpr std::string_view kSeparators = ", \t";
  std::string_view first = exchange.forwarded_for;
  first.remove_prefix(std::min(first.find_first_not_of(kSeparators), first.size()));
  first = first.substr(0, first.find_first_of(kSeparators));
  if (!first.empty() || exchange.peer == nullptr) return first;
  return exchange.peer->address;
}

void add_remote(LogFields& fields, const Exchange& exchange) {
  fields.text("remoteAddress", remote_address(exchange));
  fields.number("remotePort", exchange.peer != nullptr ? exchange.peer->port : 0);
}

void write_incoming(Log& log, const Exchange& exchange) {
  LogFields fields;
  add_id(fields, exchange);
  fields.begin("req").text("method", exchange.method).text("url", exchange.target);
  fields.text("host", exchange.host);
  add_remote(fields, exchange);
  fields.end();
  log.write_always(LogLevel::info, "incoming request", fields);
}

void write_outcome(Log& log, const Exchange& exchange) {
  LogFields fields;
  add_id(fields, exchange);
  fields.begin("res").number("statusCode", exchange.status);
  fields.begin("request").text("url", exchange.target).text("method", exchange.method);
  add_remote(fields, exchange);
  fields.end().end();
  const std::chrono::duration<double, std::milli> milliseconds(exchange.duration);
  fields.decimal("responseTime", milliseconds.count());
  log.write_always(LogLevel::info, exchange.is_complete ? "request completed" : "request aborted",
                   fields);
}

metrics::Counter* rejections(metrics::Registry& registry, std::string_view status) {
  return &registry.counter("flowstore_http_rejected_total",
                           "Connections that were answered without a request, by status.",
                           {{"status", status}});
}

}  // namespace

RequestObserver::RequestObserver(Log& log, LogLevel http_level, metrics::Registry& registry,
                                 std::optional<std::string_view> opentelemetry_scheme)
    : log_(log),
      logs_http_(http_level <= LogLevel::info),
      connections_(registry.gauge("flowstore_http_connections", "Open client connections.")),
      inflight_(registry.gauge("flowstore_http_inflight_requests", "Requests being answered.")),
      received_bytes_(registry.counter("flowstore_http_received_bytes_total",
                                       "Bytes of request bodies received.")),
      sent_bytes_(
          registry.counter("flowstore_http_sent_bytes_total", "Bytes of response contents sent.")),
      aborted_(registry.counter("flowstore_http_aborted_total",
                                "Requests whose answer did not go out whole.")),
      handshakes_(registry.counter("flowstore_http_handshake_failures_total",
                                   "Connections that ended before TLS was agreed on.")),
      exceptions_(registry.counter("flowstore_unexpected_exceptions_total",
                                   "Requests that met a bug of the server.")) {
  for (std::size_t i = 0; i < kRejections.size(); ++i) {
    rejected_[i] = rejections(registry, std::to_string(kRejections[i]));
  }
  rejected_.back() = rejections(registry, "other");
  registry.add_collector([this](std::string& out) { requests_.collect(out); });
  if (!opentelemetry_scheme) return;
  registry.add_collector([this, scheme = *opentelemetry_scheme](std::string& out) {
    requests_.collect_opentelemetry(out, scheme);
  });
}

// Before the answer, a target below /v1 is taken for one that has a route.
bool RequestObserver::is_known_to_be_logged(const Exchange& exchange) const noexcept {
  return exchange.target.starts_with("/v1/") ? logs_http_ : log_.is_on(LogLevel::info);
}

void RequestObserver::started(const Exchange& exchange) noexcept {
  inflight_.add(1);
  if (is_known_to_be_logged(exchange)) write_incoming(log_, exchange);
}

void RequestObserver::finished(const Exchange& exchange) noexcept {
  inflight_.add(-1);
  count(exchange);
  if (is_known_to_be_logged(exchange)) {
    write_outcome(log_, exchange);
    return;
  }
  // No route after all: both lines, the first one late.
  if (exchange.route.empty() && log_.is_on(LogLevel::info)) {
    write_incoming(log_, exchange);
    write_outcome(log_, exchange);
  }
}

void RequestObserver::count(const Exchange& exchange) {
  received_bytes_.add(exchange.bytes_in);
  sent_bytes_.add(exchange.bytes_out);
  if (!exchange.is_complete) aborted_.add();
  // No status: the client left before there was one.
  if (exchange.status == 0) return;
  requests_.observe(exchange.method, exchange.route, exchange.status, exchange.duration);
}

void RequestObserver::connections_changed(int difference) noexcept { connections_.add(difference); }

void RequestObserver::rejected(int status) noexcept {
  const auto known = std::find(kRejections.begin(), kRejections.end(), status);
  rejected_[static_cast<std::size_t>(known - kRejections.begin())]->add();
}

void RequestObserver::handshake_failed() noexcept { handshakes_.add(); }

void RequestObserver::handler_threw(const Exchange& exchange, std::string_view what) noexcept {
  exceptions_.add();
  if (!log_.is_on(LogLevel::error)) return;
  LogFields fields;
  add_id(fields, exchange);
  fields.begin("err").text("message", what).end();
  log_.error("unexpected exception", fields);
}

}  // namespace flowstore::server
