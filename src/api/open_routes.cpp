#include "api/open_routes.h"

namespace flowstore::api {

http::Response health_response() {
  http::Response response;
  response.content_type = "application/json; charset=utf-8";
  response.content = Content::constant(R"({"statusCode":200,"status":"ok"})");
  return response;
}

http::Response metrics_response(const metrics::Registry& registry) {
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.content = Content(registry.text());
  return response;
}

}  // namespace flowstore::api
