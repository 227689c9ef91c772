// What both listeners serve.

#pragma once

#include <vector>

#include "api/readiness.h"
#include "base/task.h"
#include "http/handler.h"
#include "metrics/registry.h"

namespace flowstore::api {

// The process answers; it looks at nothing else.
http::Response health_response();

// docs/openapi.yaml, as of this version.
http::Response openapi_response();

// What the services behind the process do: 200, or 503 where requests fail for it. Probes for those
// who ask later run where the caller does.
Task<http::Response> ready_response(Readiness& readiness);
http::Response ready_response(const std::vector<Condition>& conditions);

// The same as metrics; what is not known yet is left out.
void append_readiness(std::string& out, const std::vector<Condition>& conditions);

// Everything in the registry, in the text format of Prometheus.
http::Response metrics_response(const metrics::Registry& registry);

}  // namespace flowstore::api
