#include "api/dispatch.h"

#include <string>
#include <utility>

#include "api/error_response.h"
#include "api/open_routes.h"
#include "api/url.h"
#include "api/usage_response.h"
#include "auth/bearer.h"

namespace flowstore::api {
namespace {

using http::Request;
using http::Response;

Response invalid_path() {
  const Error error(ErrorKind::invalid, "ENOTDIR", "Invalid Path");
  return error_response(RouteFamily::quota, error);
}

// Beyond this an answer costs its loop more than the making of it: the project's place is kept
// until it was sent. What is smaller fits into the kernel's buffers and waits for nobody.
constexpr std::uint64_t kLongAnswer = 64 * 1024;

bool is_long(const Content& content) {
  const auto size = content.size();
  return !size || *size > kLongAnswer;
}

std::optional<std::string_view> token_of(const Request& request) {
  const auto header = request.header("authorization");
  return header ? auth::bearer_token(*header) : std::nullopt;
}

// An id that no project can have is refused before anybody is asked about it.
bool has_valid_ids(const Route& route) {
  if (!route.team.empty() && !files::is_valid_id(route.team)) return false;
  return route.project.empty() || files::is_valid_id(route.project);
}

}  // namespace

Dispatch::Dispatch(auth::TokenVerifier& verifier, const auth::ServiceTokens& service_tokens,
                   files::FileService& files, context::ContextService* context, BlockingPool& pool,
                   Readiness& readiness, metrics::Registry& metrics, ApiOptions options)
    : verifier_(verifier),
      service_tokens_(service_tokens),
      files_(files),
      readiness_(readiness),
      context_(context),
      metrics_(metrics),
      file_routes_(files, options.files, pool),
      default_file_quota_(options.files.default_quota),
      gate_(options.project, metrics),
      has_metrics_(options.has_metrics) {
  if (context != nullptr) context_routes_.emplace(*context, pool);
  if (options.has_console) console_.emplace();
}

Result<Route> Dispatch::route_of(const Request& request) const {
  FLOWSTORE_TRY(auto route, parse_route(request.method(), request.target()));
  if (is_of_context(route.endpoint) && !context_routes_) return Route();
  if (route.endpoint == Endpoint::console && !console_) return Route();
  return route;
}

// The order is the policy: open routes, the token, the project's turn, then the route. The token is
// checked from the head alone; no byte of a body is read before the project's turn has come.
//
// Each step is first asked for what it can do at once, and awaited only if it has to wait: the
// usual read of a small file takes no other coroutine than this one.
Task<Response> Dispatch::handle(Request& request) {
  const auto found = route_of(request);
  if (!found) co_return bad_url(found.error());
  const Route& route = *found;
  request.set_route(route.pattern);
  if (route.endpoint == Endpoint::ready) co_return co_await ready_response(readiness_);
  if (auto response = serve_open(request, route)) co_return *std::move(response);

  const auto token = token_of(request);
  if (!token) co_return unauthorized();
  if (!has_valid_ids(route)) co_return invalid_path();
  if (route.endpoint == Endpoint::team_quota) co_return co_await team_quota(request, route, *token);
  // A request that matches no route is asked about with an empty project, as by the old server:
  // with an ordinary token it ends here as 401.
  auto grant = verifier_.verify_now(route.project, *token);
  if (!grant) grant = co_await verifier_.verify(route.project, *token);
  if (!*grant) co_return error_response(RouteFamily::authentication, grant->error());
  // Context belongs to a project alone; its routes name no team.
  const bool is_context = is_of_context(route.endpoint);
  if (!is_context && !(**grant).allows_team(route.team)) co_return unauthorized();

  auto pass = gate_.enter_now(route.project);
  if (!pass) {
    auto called = co_await gate_.enter(route.project, request.caller());
    if (!called) co_return error_response(RouteFamily::context, called.error());
    pass.emplace(*std::move(called));
  }
  std::optional<Response> response;
  if (route.endpoint == Endpoint::file_read) response = file_routes_.read_now(request, route);
  if (!response) response = co_await serve_granted(request, route, **grant);
  if (is_long(response->content)) {
    response->held = std::make_shared<ProjectGate::Pass>(*std::move(pass));
  }
  co_return *std::move(response);
}

// What needs no token.
std::optional<Response> Dispatch::serve_open(const Request& request, const Route& route) const {
  switch (route.endpoint) {
    case Endpoint::health:
      return health_response();
    case Endpoint::openapi:
      return openapi_response();
    case Endpoint::metrics:
      return serve_metrics(request);
    case Endpoint::console:
      return console_->serve(request, route.path);
    case Endpoint::missing:
      return route_not_found(request.method(), request.target());
    default:
      return std::nullopt;
  }
}

Task<Response> Dispatch::serve_granted(Request& request, const Route& route,
                                       const auth::Grant& grant) {
  if (is_of_context(route.endpoint)) {
    co_return co_await context_routes_->serve(request, route, grant);
  }
  switch (route.endpoint) {
    case Endpoint::file_read:
      co_return co_await file_routes_.read(request, route);
    case Endpoint::file_write:
      co_return co_await file_routes_.write(request, route, grant);
    case Endpoint::file_delete:
      co_return co_await file_routes_.remove(request, route);
    case Endpoint::project_quota:
      co_return co_await project_quota(request, route, grant);
    default:
      co_return route_not_found(request.method(), request.target());
  }
}

// The limits are told to those who ask for them: the old server's answer has none.
Task<Response> Dispatch::project_quota(const Request& request, const Route& route,
                                       const auth::Grant& grant) {
  const auto project = files::ProjectKey::parse(route.team, route.project);
  if (!project) co_return invalid_path();
  UsageLimits limits;
  if (Query(split_target(request.target()).query).is_on("limits")) limits = limits_of(grant);
  const auto used = co_await files_.used(*project);
  co_return usage_response(used, limits);
}

UsageLimits Dispatch::limits_of(const auth::Grant& grant) const {
  UsageLimits limits;
  limits.file = grant.file_quota ? grant.file_quota : default_file_quota_;
  if (context_ != nullptr) limits.context = context_->limit_for(grant.context_quota);
  return limits;
}

// Who may see what a team uses: a service token, or a project of the team, named by ?projectId=.
Task<Response> Dispatch::team_quota(const Request& request, const Route& route,
                                    std::string_view token) {
  if (!service_tokens_.contains(token)) {
    const Query query(split_target(request.target()).query);
    const auto project_id = query.find("projectId");
    if (!project_id || !files::is_valid_id(*project_id)) co_return unauthorized();
    const auto grant = co_await verifier_.verify(*project_id, token);
    if (!grant) co_return error_response(RouteFamily::authentication, grant.error());
    const auto project = files::ProjectKey::parse(route.team, *project_id);
    if (!project || !grant->allows_team(route.team)) co_return unauthorized();
    const auto is_of_team = co_await files_.has_files(*project);
    if (!is_of_team) co_return error_response(RouteFamily::quota, is_of_team.error());
    if (!*is_of_team) co_return unauthorized();
  }
  co_return usage_response(co_await files_.used_by_team(route.team));
}

Response Dispatch::serve_metrics(const Request& request) const {
  if (!has_metrics_) return route_not_found(request.method(), request.target());
  return metrics_response(metrics_);
}

}  // namespace flowstore::api
