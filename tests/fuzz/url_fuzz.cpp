// Any request target: what is decoded is UTF-8 and survives being encoded again, and a route's
// parts, written as a path, lead to the same route.

#include <string>

#include "api/route.h"
#include "api/url.h"
#include "fuzz.h"
#include "json/text.h"

using namespace flowstore;
using api::Endpoint;
using fuzz::escaped;
using fuzz::require;

namespace {

void check_text(std::string_view text) {
  const bool is_good = api::is_utf8(text);
  // The encoder of JSON puts U+FFFD in the place of what is no UTF-8.
  if (text.find("\xEF\xBF\xBD") == std::string_view::npos) {
    const std::u16string units = json::utf16(text);
    require(is_good == (units.find(u'\uFFFD') == std::u16string::npos));
    if (is_good) require(units.size() == api::utf16_length(text));
  }
  const auto back = api::percent_decode(escaped(text));
  require(back.has_value() == is_good && (!back || *back == text));
  const auto decoded = api::percent_decode(text);
  if (!decoded) return;
  require(api::is_utf8(*decoded) && decoded->size() <= text.size());
  require(api::percent_decode(escaped(*decoded)) == decoded);
}

void check_query(std::string_view text) {
  const api::Query query(text);
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::string_view name = pair.substr(0, pair.find('='));
    if (pair.empty() || name.find_first_of("%+") != std::string_view::npos) continue;
    require(query.find(name) && query.all(name).front() == query.find(name));
  }
}

std::string path_of(const api::Route& route) {
  const std::string project = escaped(route.project);
  switch (route.endpoint) {
    case Endpoint::file_read:
    case Endpoint::file_write:
    case Endpoint::file_delete:
      return "/v1/files/" + escaped(route.team) + "/" + project + "/" + escaped(route.path);
    case Endpoint::project_quota:
      return "/v1/quota/" + escaped(route.team) + "/" + project;
    case Endpoint::team_quota:
      return "/v1/quota/" + escaped(route.team);
    case Endpoint::context_get:
    case Endpoint::context_set:
    case Endpoint::context_delete:
      return "/v1/context/" + project + "/" + escaped(route.scope);
    case Endpoint::context_keys:
      return "/v1/context/" + project + "/" + escaped(route.scope) + "/keys";
    case Endpoint::context_cache_read:
      return "/v1/context/" + project + "/cache";
    case Endpoint::context_cache_write:
      return "/v1/context/" + project + "/cache/" + escaped(route.scope);
    case Endpoint::context_clean:
      return "/v1/context/" + project + "/clean";
    case Endpoint::console:
      return "/console" + std::string(route.path);
    default:
      return std::string(route.pattern);
  }
}

void check_route(std::string_view method, std::string_view target) {
  const auto route = api::parse_route(method, target);
  if (!route) return;
  if (route->endpoint == Endpoint::unknown || route->endpoint == Endpoint::missing) {
    require(route->pattern.empty() && route->project.empty() && route->path.empty());
    return;
  }
  for (const std::string_view part : {route->team, route->project, route->scope}) {
    require(api::is_utf8(part) && api::utf16_length(part) <= 500);
  }
  const auto has = [&](const char* part) { return route->pattern.find(part) != std::string::npos; };
  require(has(":teamId") == !route->team.empty());
  require(has(":projectId") == !route->project.empty());
  const std::string target_again = path_of(*route) + "?query#fragment";
  const auto again = api::parse_route(method, target_again);
  require(bool(again) && again->endpoint == route->endpoint && again->pattern == route->pattern);
  require(again->team == route->team && again->project == route->project);
  require(again->path == route->path && again->scope == route->scope);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  const api::Target target = api::split_target(input);
  require(target.path.size() + target.query.size() <= input.size());
  check_text(target.path);
  check_query(target.query);
  for (const char* const method : {"GET", "HEAD", "POST", "DELETE", "PUT"}) {
    check_route(method, input);
  }
  return 0;
}
