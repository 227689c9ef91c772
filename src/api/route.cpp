#include "api/route.h"

#include <optional>

#include "api/url.h"

namespace flowstore::api {
namespace {

constexpr std::size_t kLongestId =
    500;  // UTF-16 units; find-my-way's maxParamLength in the old server

constexpr std::string_view kHealth = "/health";
constexpr std::string_view kMetrics = "/metrics";
constexpr std::string_view kFiles = "/v1/files/:teamId/:projectId/*";
constexpr std::string_view kProjectQuota = "/v1/quota/:teamId/:projectId";
constexpr std::string_view kTeamQuota = "/v1/quota/:teamId";

bool is_read(std::string_view method) { return method == "GET" || method == "HEAD"; }

Error bad_url(std::string_view target) {
  return Error(ErrorKind::invalid, "FST_ERR_BAD_URL",
               "'" + std::string(target) + "' is not a valid url component");
}

// An id is one segment; what is empty or longer matches no route.
bool is_id(std::string_view id) { return !id.empty() && utf16_length(id) <= kLongestId; }

// Takes the next segment off the path; the slash behind it goes too. `has_more` says whether there
// was one: "a/" has a second, empty segment and "a" has not.
std::string_view take_segment(std::string_view& rest, bool& has_more) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  has_more = slash != std::string_view::npos;
  rest.remove_prefix(has_more ? slash + 1 : rest.size());
  return segment;
}

Endpoint file_endpoint(std::string_view method) {
  if (is_read(method)) return Endpoint::file_read;
  if (method == "POST") return Endpoint::file_write;
  if (method == "DELETE") return Endpoint::file_delete;
  return Endpoint::unknown;
}

// The parts of "/v1/<family>/<team>[/<project>[/<path>]]", decoded.
struct Parts {
  std::string version;
  std::string family;
  std::string team;
  std::optional<std::string> project;
  std::optional<std::string> path;
};

// Ids are split off before they are decoded: "%2F" is part of an id, not a separator.
std::optional<Parts> take_apart(std::string_view path) {
  bool has_more = false;
  path.remove_prefix(1);
  Parts parts;
  for (std::string* const part : {&parts.version, &parts.family, &parts.team}) {
    const auto decoded = percent_decode(take_segment(path, has_more));
    if (!decoded) return std::nullopt;
    *part = *decoded;
  }
  if (has_more) {
    parts.project = percent_decode(take_segment(path, has_more));
    if (!parts.project) return std::nullopt;
    if (has_more) {
      parts.path = percent_decode(path);
      if (!parts.path) return std::nullopt;
    }
  }
  return parts;
}

Route match(std::string_view method, Parts parts) {
  Route route;
  if (parts.version != "v1" || !is_id(parts.team)) return route;
  if (parts.project && !is_id(*parts.project)) return route;
  if (parts.family == "files" && parts.path) {
    route.endpoint = file_endpoint(method);
    route.pattern = kFiles;
    route.path = *std::move(parts.path);
  } else if (parts.family == "quota" && !parts.path && is_read(method)) {
    route.endpoint = parts.project ? Endpoint::project_quota : Endpoint::team_quota;
    route.pattern = parts.project ? kProjectQuota : kTeamQuota;
  }
  if (route.endpoint == Endpoint::unknown) return Route();
  route.team = std::move(parts.team);
  route.project = std::move(parts.project).value_or(std::string());
  return route;
}

// A route that needs no token.
Route open_route(std::string_view path, Endpoint endpoint, bool is_method_right) {
  Route route;
  route.endpoint = is_method_right ? endpoint : Endpoint::missing;
  if (is_method_right) route.pattern = path;
  return route;
}

}  // namespace

Result<Route> parse_route(std::string_view method, std::string_view target) {
  const std::string_view path = split_target(target).path;
  if (path == kHealth) return open_route(kHealth, Endpoint::health, is_read(method));
  if (path == kMetrics) return open_route(kMetrics, Endpoint::metrics, method == "GET");
  const bool is_plain = path.find('%') == std::string_view::npos;
  if (!is_plain && !percent_decode(path)) return bad_url(target);
  if (!path.starts_with('/')) return Route();
  auto parts = take_apart(path);
  if (!parts) return bad_url(target);
  return match(method, *std::move(parts));
}

}  // namespace flowstore::api
