// Dispatch: the way of every request, and the whole policy in one list.

#pragma once

#include <optional>
#include <string_view>

#include "api/console_routes.h"
#include "api/context_routes.h"
#include "api/file_routes.h"
#include "api/project_gate.h"
#include "api/readiness.h"
#include "api/route.h"
#include "api/usage_response.h"
#include "auth/service_tokens.h"
#include "auth/token_verifier.h"
#include "base/blocking_pool.h"
#include "context/context_service.h"
#include "files/file_service.h"
#include "http/handler.h"
#include "metrics/registry.h"

namespace flowstore::api {

struct ApiOptions {
  FileRules files;
  bool has_metrics = false;     // without it /metrics is a 404
  bool has_console = false;     // without it /console is no route
  ProjectGate::Bounds project;  // what one project may have under way
};

// The handler behind the HTTP core. Safe to use from any thread.
class Dispatch final : public http::Handler {
 public:
  // All references must outlive the dispatch, and so must `context`; without one there are no
  // context routes. Long bodies are parsed on `pool`.
  Dispatch(auth::TokenVerifier& verifier, const auth::ServiceTokens& service_tokens,
           files::FileService& files, context::ContextService* context, BlockingPool& pool,
           Readiness& readiness, metrics::Registry& metrics, ApiOptions options);

  Task<http::Response> handle(http::Request& request) override;

 private:
  Result<Route> route_of(const http::Request& request) const;
  std::optional<http::Response> serve_open(const http::Request& request, const Route& route) const;
  Task<http::Response> serve_granted(http::Request& request, const Route& route,
                                     const auth::Grant& grant);
  Task<http::Response> project_quota(const http::Request& request, const Route& route,
                                     const auth::Grant& grant);
  UsageLimits limits_of(const auth::Grant& grant) const;
  Task<http::Response> team_quota(const http::Request& request, const Route& route,
                                  std::string_view token);
  http::Response serve_metrics(const http::Request& request) const;

  auth::TokenVerifier& verifier_;
  const auth::ServiceTokens& service_tokens_;
  files::FileService& files_;
  Readiness& readiness_;
  const context::ContextService* context_;  // null without context
  const metrics::Registry& metrics_;
  FileRoutes file_routes_;
  std::optional<ContextRoutes> context_routes_;
  std::optional<ConsoleRoutes> console_;
  std::optional<std::uint64_t> default_file_quota_;
  ProjectGate gate_;
  bool has_metrics_;
};

}  // namespace flowstore::api
