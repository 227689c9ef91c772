#include "server/admin_observer.h"

namespace flowstore::server {

// The address is that of the other end: X-Forwarded-For is whatever a guesser of tokens writes.
void AdminObserver::finished(const http::Exchange& exchange) noexcept {
  if (exchange.status != 401 || !log_.is_on(LogLevel::warn) || !pace_.lets_through()) return;
  LogFields fields;
  fields.text("remoteAddress", exchange.peer->address).text("url", exchange.target);
  log_.warn("admin request without the token", fields);
}

void AdminObserver::handler_threw(const http::Exchange&, std::string_view what) noexcept {
  LogFields fields;
  fields.begin("err").text("message", what).end();
  log_.error("unexpected exception", fields);
}

}  // namespace flowstore::server
