#include "api/open_routes.h"

#include <string>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "base/log.h"
#include "base/log_text.h"
#include "embedded/openapi_yaml.h"
#include "metrics/text.h"

namespace flowstore::api {
namespace {

// "files":{"driver":"s3","ok":false,"since":"...","reason":"..."}
void append_condition(std::string& list, const Condition& one) {
  if (!list.empty()) list.push_back(',');
  append_json_string(list, one.name);
  list.append(":{");
  if (!one.driver.empty()) {
    list.append("\"driver\":");
    append_json_string(list, one.driver);
    list.push_back(',');
  }
  const std::string_view answer = !one.is_well ? "null" : *one.is_well ? "true" : "false";
  list.append("\"ok\":").append(answer).append(",\"since\":\"");
  append_time(list, one.since);
  list.push_back('"');
  if (!one.reason.empty()) {
    list.append(",\"reason\":");
    append_json_string(list, one.reason);
  }
  list.push_back('}');
}

}  // namespace

http::Response health_response() {
  http::Response response;
  response.content_type = "application/json; charset=utf-8";
  response.content = Content::constant(R"({"statusCode":200,"status":"ok"})");
  return response;
}

http::Response openapi_response() {
  http::Response response;
  response.content_type = "application/yaml";
  response.content = Content::constant(embedded::openapi_yaml);
  return response;
}

Task<http::Response> ready_response(Readiness& readiness) {
  const Executor here = co_await boost::asio::this_coro::executor;
  co_return ready_response(readiness.ask(here));
}

http::Response ready_response(const std::vector<Condition>& conditions) {
  bool is_ready = true;
  bool is_whole = true;
  std::string list;
  for (const Condition& one : conditions) {
    const bool is_well = one.is_well.value_or(false);
    is_ready = is_ready && (is_well || !one.is_needed);
    is_whole = is_whole && (is_well || (!one.is_needed && !one.is_well));
    append_condition(list, one);
  }
  http::Response response(is_ready ? 200 : 503);
  const std::string_view word = is_whole ? "ok" : is_ready ? "degraded" : "unavailable";
  std::string body = "{\"statusCode\":" + std::to_string(response.status) + ",\"status\":";
  append_json_string(body, word);
  body.append(",\"dependencies\":{").append(list).append("}}");
  response.content_type = "application/json; charset=utf-8";
  response.content = Content(std::move(body));
  return response;
}

void append_readiness(std::string& out, const std::vector<Condition>& conditions) {
  constexpr std::string_view kName = "flowstore_dependency_up";
  metrics::append_header(out, kName, "1: the service behind this one works, as far as is known.",
                         "gauge");
  for (const Condition& one : conditions) {
    if (!one.is_well) continue;
    std::string labels;
    metrics::append_label(labels, "dependency", one.name);
    metrics::append_sample(out, kName, labels, *one.is_well ? 1 : 0);
  }
}

http::Response metrics_response(const metrics::Registry& registry) {
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.content = Content(registry.text());
  return response;
}

}  // namespace flowstore::api
