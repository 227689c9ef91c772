// The routes under /v1/context: words of HTTP in, calls to the context service, answers out.

#pragma once

#include "api/route.h"
#include "auth/token_verifier.h"
#include "base/blocking_pool.h"
#include "base/task.h"
#include "context/context_service.h"
#include "http/handler.h"

namespace flowstore::api {

// Serves requests whose token has been accepted. Safe to use from any thread.
class ContextRoutes {
 public:
  // Both must outlive the routes. Long bodies are parsed on `pool`.
  ContextRoutes(context::ContextService& service, BlockingPool& pool)
      : service_(service), pool_(pool) {}

  // Precondition: is_of_context(route.endpoint).
  Task<http::Response> serve(http::Request& request, const Route& route, const auth::Grant& grant);

 private:
  Task<http::Response> get(http::Request& request, const Route& route);
  Task<http::Response> keys(http::Request& request, const Route& route);
  Task<http::Response> set(http::Request& request, const Route& route, const auth::Grant& grant);
  Task<http::Response> remove(http::Request& request, const Route& route);
  Task<http::Response> cache_read(http::Request& request, const Route& route);
  Task<http::Response> cache_write(http::Request& request, const Route& route,
                                   const auth::Grant& grant);
  Task<http::Response> clean(http::Request& request, const Route& route);

  context::ContextService& service_;
  BlockingPool& pool_;
};

}  // namespace flowstore::api
