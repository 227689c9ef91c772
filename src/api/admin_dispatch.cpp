#include "api/admin_dispatch.h"

#include "api/error_response.h"
#include "api/open_routes.h"
#include "auth/bearer.h"

namespace flowstore::api {

Task<http::Response> AdminDispatch::handle(http::Request& request) {
  const auto route = parse_route(request.method(), request.target());
  if (!route) co_return bad_url(route.error());
  if (route->endpoint == Endpoint::ready) co_return co_await ready_response(readiness_);
  co_return serve(request, route->endpoint);
}

// Probes carry no token, and that the process answers is no secret. What is not here is not told
// apart from what needs the token.
http::Response AdminDispatch::serve(const http::Request& request, Endpoint endpoint) const {
  if (endpoint == Endpoint::health) return health_response();
  if (endpoint == Endpoint::openapi) return openapi_response();
  if (!may_enter(request)) return unauthorized();
  if (endpoint == Endpoint::metrics) return metrics_response(metrics_);
  return route_not_found(request.method(), request.target());
}

bool AdminDispatch::may_enter(const http::Request& request) const {
  if (tokens_.empty()) return true;
  const auto header = request.header("authorization");
  const auto token = header ? auth::bearer_token(*header) : std::nullopt;
  return token && tokens_.contains(*token);
}

}  // namespace flowstore::api
