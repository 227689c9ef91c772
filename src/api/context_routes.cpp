#include "api/context_routes.h"

#include <utility>

#include "api/context_json.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/page_content.h"
#include "api/url.h"
#include "json/text.h"

namespace flowstore::api {
namespace {

using http::Request;
using http::Response;

constexpr std::string_view kJson = "application/json; charset=utf-8";

Response json_answer(Content content) {
  Response response;
  response.content_type = kJson;
  response.content = std::move(content);
  return response;
}

context::ScopeName name_of(const Route& route) {
  return context::ScopeName(std::string(route.project), std::string(route.scope));
}

// A body that was not understood is answered in the framework's words; what JavaScript would throw
// while it looks at the values (no code) in those of the route.
Response body_error(RouteFamily family, const Error& error) {
  return error_response(error.code().empty() ? family : RouteFamily::context, error);
}

Response written(const Status& status) {
  if (!status) return error_response(RouteFamily::context_write, status.error());
  return json_answer(Content::constant("{}"));
}

Response removed(const Status& status) {
  return status ? Response() : error_response(RouteFamily::context, status.error());
}

Result<std::vector<context::SetItem>> set_items_of(const ReceivedBody& body) {
  FLOWSTORE_TRY(const std::string text, parse_json_body(body, json::TooLarge::infinite));
  return parse_set_items(text);
}

Result<std::string> values_of(const ReceivedBody& body) {
  FLOWSTORE_TRY(std::string text, parse_json_body(body));
  return parse_values(std::move(text));
}

Result<context::ActiveIds> active_ids_of(const ReceivedBody& body) {
  FLOWSTORE_TRY(const std::string text, parse_json_body(body));
  return parse_active_ids(text);
}

}  // namespace

Task<Response> ContextRoutes::serve(Request& request, const Route& route,
                                    const auth::Grant& grant) {
  switch (route.endpoint) {
    case Endpoint::context_keys:
      co_return co_await keys(request, route);
    case Endpoint::context_set:
      co_return co_await set(request, route, grant);
    case Endpoint::context_delete:
      co_return co_await remove(request, route);
    case Endpoint::context_cache_read:
      co_return co_await cache_read(request, route);
    case Endpoint::context_cache_write:
      co_return co_await cache_write(request, route, grant);
    case Endpoint::context_clean:
      co_return co_await clean(request, route);
    default:
      co_return co_await get(request, route);
  }
}

Task<Response> ContextRoutes::get(Request& request, const Route& route) {
  const Query query(split_target(request.target()).tail);
  const auto keys = query.all("key");
  if (keys.empty()) {
    const Error error(ErrorKind::invalid, "FST_ERR_VALIDATION",
                      "querystring must have required property 'key'");
    co_return error_response(RouteFamily::context, error);
  }
  std::vector<std::u16string> expressions;
  expressions.reserve(keys.size());
  for (const std::string_view key : keys) expressions.push_back(json::utf16(key));
  const auto name = name_of(route);
  const auto values = co_await service_.get(request.caller(), name, std::move(expressions));
  if (!values) co_return error_response(RouteFamily::context, values.error());
  co_return json_answer(values_json(keys, *values));
}

Task<Response> ContextRoutes::keys(Request& request, const Route& route) {
  const auto name = name_of(route);
  auto names = co_await service_.keys(request.caller(), name);
  if (!names) co_return error_response(RouteFamily::context, names.error());
  co_return json_answer(*std::move(names));
}

Task<Response> ContextRoutes::set(Request& request, const Route& route, const auth::Grant& grant) {
  const auto body = co_await receive_json_body(request, EmptyBody::refused);
  if (!body) co_return error_response(RouteFamily::context, body.error());
  auto parse = [&body] { return set_items_of(*body); };
  auto items = co_await pool_.run_if(body->is_long(), parse);
  if (!items) co_return body_error(RouteFamily::context_write, items.error());
  const auto name = name_of(route);
  co_return written(
      co_await service_.set(request.caller(), name, *std::move(items), grant.context_quota));
}

Task<Response> ContextRoutes::remove(Request& request, const Route& route) {
  const Status passed = co_await pass_over_body(request, Media::text, pool_);
  if (!passed) co_return error_response(RouteFamily::context, passed.error());
  const auto name = name_of(route);
  co_return removed(co_await service_.remove(request.caller(), name));
}

Task<Response> ContextRoutes::cache_read(Request& request, const Route& route) {
  const auto asked = parse_page_request(Query(split_target(request.target()).tail));
  if (!asked) co_return error_response(RouteFamily::context, asked.error());
  const std::string project(route.project);
  auto page = co_await service_.list(request.caller(), project, asked->after, asked->most);
  if (!page) co_return error_response(RouteFamily::context, page.error());
  auto content = co_await page_content(*std::move(page));
  if (!content) co_return error_response(RouteFamily::context, content.error());
  co_return json_answer(*std::move(content));
}

Task<Response> ContextRoutes::cache_write(Request& request, const Route& route,
                                          const auth::Grant& grant) {
  const auto body = co_await receive_json_body(request, EmptyBody::refused);
  if (!body) co_return error_response(RouteFamily::context, body.error());
  auto parse = [&body] { return values_of(*body); };
  auto values = co_await pool_.run_if(body->is_long(), parse);
  if (!values) co_return body_error(RouteFamily::context_write, values.error());
  const auto name = name_of(route);
  co_return written(
      co_await service_.replace(request.caller(), name, *std::move(values), grant.context_quota));
}

Task<Response> ContextRoutes::clean(Request& request, const Route& route) {
  const auto body = co_await receive_json_body(request, EmptyBody::allowed);
  if (!body) co_return error_response(RouteFamily::context, body.error());
  auto parse = [&body] { return active_ids_of(*body); };
  auto ids = co_await pool_.run_if(body->is_long(), parse);
  if (!ids) co_return body_error(RouteFamily::context, ids.error());
  const std::string project(route.project);
  co_return removed(co_await service_.clean(request.caller(), project, *std::move(ids)));
}

}  // namespace flowstore::api
