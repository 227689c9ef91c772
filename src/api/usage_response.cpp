#include "api/usage_response.h"

#include <string>

#include "api/error_response.h"

namespace flowstore::api {
namespace {

void append_limit(std::string& body, const char* name, std::optional<std::uint64_t> limit) {
  if (limit) body.append(",\"").append(name).append("\":").append(std::to_string(*limit));
}

}  // namespace

http::Response usage_response(const Result<std::uint64_t>& used) {
  return usage_response(used, UsageLimits());
}

http::Response usage_response(const Result<std::uint64_t>& used, const UsageLimits& limits) {
  if (!used) return error_response(RouteFamily::quota, used.error());
  std::string body = "{\"used\":" + std::to_string(*used);
  append_limit(body, "limit", limits.file);
  append_limit(body, "contextLimit", limits.context);
  body.append("}");
  http::Response response;
  response.content_type = "application/json; charset=utf-8";
  response.content = Content(std::move(body));
  return response;
}

}  // namespace flowstore::api
