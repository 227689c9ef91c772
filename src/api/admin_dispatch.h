// AdminDispatch: what the listener for operators serves.

#pragma once

#include "api/readiness.h"
#include "api/route.h"
#include "auth/service_tokens.h"
#include "http/handler.h"
#include "metrics/registry.h"

namespace flowstore::api {

// /health, /ready and /openapi.yaml for everybody, /metrics for whoever has the token, and nothing
// else: no tenant's data can be had here. Safe to use from any thread.
class AdminDispatch final : public http::Handler {
 public:
  // Without `tokens` everybody may read the metrics. All must outlive the dispatch.
  AdminDispatch(const auth::ServiceTokens& tokens, Readiness& readiness,
                const metrics::Registry& metrics)
      : tokens_(tokens), readiness_(readiness), metrics_(metrics) {}

  Task<http::Response> handle(http::Request& request) override;

 private:
  http::Response serve(const http::Request& request, Endpoint endpoint) const;
  bool may_enter(const http::Request& request) const;

  const auth::ServiceTokens& tokens_;
  Readiness& readiness_;
  const metrics::Registry& metrics_;
};

}  // namespace flowstore::api
