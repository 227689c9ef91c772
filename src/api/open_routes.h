// What both listeners serve.

#pragma once

#include "http/handler.h"
#include "metrics/registry.h"

namespace flowstore::api {

// The process answers; it looks at nothing else.
http::Response health_response();

// Everything in the registry, in the text format of Prometheus.
http::Response metrics_response(const metrics::Registry& registry);

}  // namespace flowstore::api
