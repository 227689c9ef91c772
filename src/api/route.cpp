#include "api/route.h"

#include <optional>

#include "api/url.h"

namespace flowstore::api {
namespace {

constexpr std::size_t kLongestId =
    500;  // UTF-16 units; find-my-way's maxParamLength in the old server

constexpr std::string_view kHealth = "/health";
constexpr std::string_view kReady = "/ready";
constexpr std::string_view kOpenapi = "/openapi.yaml";
constexpr std::string_view kMetrics = "/metrics";
constexpr std::string_view kConsole = "/console";
constexpr std::string_view kFiles = "/v1/files/:teamId/:projectId/*";
constexpr std::string_view kProjectQuota = "/v1/quota/:teamId/:projectId";
constexpr std::string_view kTeamQuota = "/v1/quota/:teamId";
constexpr std::string_view kScope = "/v1/context/:projectId/:scope";
constexpr std::string_view kKeys = "/v1/context/:projectId/:scope/keys";
constexpr std::string_view kCache = "/v1/context/:projectId/cache";
constexpr std::string_view kCacheScope = "/v1/context/:projectId/cache/:scope";
constexpr std::string_view kClean = "/v1/context/:projectId/clean";

bool is_read(std::string_view method) { return method == "GET" || method == "HEAD"; }

Error bad_url(std::string_view target) {
  return Error(ErrorKind::invalid, "FST_ERR_BAD_URL",
               "'" + std::string(target) + "' is not a valid url component");
}

// Any text is a scope, also none at all; what is longer matches no route.
bool is_scope(std::string_view scope) {
  return scope.size() <= kLongestId || utf16_length(scope) <= kLongestId;
}

// An id is one segment that is not empty.
bool is_id(std::string_view id) { return !id.empty() && is_scope(id); }

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

// Decodes the parts of one path. What is the same afterwards is not copied.
class Decoder {
 public:
  explicit Decoder(std::string_view path) : most_(path.size()) {}

  // Nothing if percent_decode() has nothing.
  std::optional<std::string_view> decode(std::string_view part) {
    if (part.find('%') == std::string_view::npos && is_utf8(part)) return part;
    const auto text = percent_decode(part);
    if (!text) return std::nullopt;
    if (!decoded_) decoded_ = std::make_unique<std::string>();
    decoded_->reserve(most_);  // once and for all, so that earlier parts stay where they are
    const std::size_t start = decoded_->size();
    decoded_->append(*text);
    return std::string_view(*decoded_).substr(start);
  }

  // What the decoded parts are pieces of; null if they are all the path's own.
  std::unique_ptr<const std::string> take() { return std::move(decoded_); }

 private:
  std::size_t most_;
  std::unique_ptr<std::string> decoded_;
};

// The parts of "/v1/<family>/<first>[/<second>[/<tail>]]", decoded.
struct Parts {
  std::string_view version;
  std::string_view family;
  std::string_view first;
  std::optional<std::string_view> second;
  std::optional<std::string_view> tail;
  bool is_tail_one_segment = false;
};

// Ids are split off before they are decoded: "%2F" is part of an id, not a separator.
std::optional<Parts> take_apart(std::string_view path, Decoder& decoder) {
  bool has_more = false;
  path.remove_prefix(1);
  Parts parts;
  for (std::string_view* const part : {&parts.version, &parts.family, &parts.first}) {
    const auto decoded = decoder.decode(take_segment(path, has_more));
    if (!decoded) return std::nullopt;
    *part = *decoded;
  }
  if (has_more) {
    parts.second = decoder.decode(take_segment(path, has_more));
    if (!parts.second) return std::nullopt;
    if (has_more) {
      parts.tail = decoder.decode(path);
      parts.is_tail_one_segment = path.find('/') == std::string_view::npos;
      if (!parts.tail) return std::nullopt;
    }
  }
  return parts;
}

Route file_route(std::string_view method, const Parts& parts) {
  Route route;
  if (!parts.second || !is_id(*parts.second) || !parts.tail) return route;
  route.endpoint = file_endpoint(method);
  route.pattern = kFiles;
  route.team = parts.first;
  route.project = *parts.second;
  route.path = *parts.tail;
  return route;
}

Route quota_route(std::string_view method, const Parts& parts) {
  Route route;
  if (parts.tail || !is_read(method)) return route;
  if (parts.second && !is_id(*parts.second)) return route;
  route.endpoint = parts.second ? Endpoint::project_quota : Endpoint::team_quota;
  route.pattern = parts.second ? kProjectQuota : kTeamQuota;
  route.team = parts.first;
  route.project = parts.second.value_or(std::string_view());
  return route;
}

struct Match {
  Endpoint endpoint = Endpoint::unknown;
  std::string_view pattern;
};

// Where the path ends with the scope. The old server's router prefers a fixed word to a parameter,
// so a scope called "cache" cannot be read here, nor one called "clean" be written.
Match match_scope(std::string_view method, std::string_view scope) {
  if (is_read(method) && scope == "cache") return {Endpoint::context_cache_read, kCache};
  if (is_read(method)) return {Endpoint::context_get, kScope};
  if (method == "POST" && scope == "clean") return {Endpoint::context_clean, kClean};
  if (method == "POST") return {Endpoint::context_set, kScope};
  if (method == "DELETE") return {Endpoint::context_delete, kScope};
  return {};
}

Route context_route(std::string_view method, Parts parts) {
  Route route;
  if (!parts.second || !is_scope(*parts.second)) return route;
  Match found;
  if (!parts.tail) {
    found = match_scope(method, *parts.second);
  } else if (is_read(method) && *parts.tail == "keys") {
    found = {Endpoint::context_keys, kKeys};
  } else if (method == "POST" && *parts.second == "cache" && parts.is_tail_one_segment &&
             is_scope(*parts.tail)) {
    found = {Endpoint::context_cache_write, kCacheScope};
    parts.second = parts.tail;
  }
  route.endpoint = found.endpoint;
  route.pattern = found.pattern;
  route.project = parts.first;
  route.scope = *parts.second;
  return route;
}

Route route_of_family(std::string_view method, const Parts& parts) {
  if (parts.version != "v1" || !is_id(parts.first)) return Route();
  if (parts.family == "files") return file_route(method, parts);
  if (parts.family == "quota") return quota_route(method, parts);
  if (parts.family == "context") return context_route(method, parts);
  return Route();
}

// What no route takes has no parts either.
Route match(std::string_view method, const Parts& parts) {
  Route route = route_of_family(method, parts);
  return route.endpoint == Endpoint::unknown ? Route() : std::move(route);
}

// A request to a proxy names scheme and host as well; every server takes that form, too (RFC 9112,
// section 3.2.2).
std::string_view without_origin(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t end = target.find_first_of("/?#", scheme.size());
    if (end != std::string_view::npos && target[end] == '/') return target.substr(end);
  }
  return target;
}

// A route that needs no token.
Route open_route(std::string_view path, Endpoint endpoint, bool is_method_right) {
  Route route;
  route.endpoint = is_method_right ? endpoint : Endpoint::missing;
  if (is_method_right) route.pattern = path;
  return route;
}

bool is_console(std::string_view path) {
  return path.starts_with(kConsole) &&
         (path.size() == kConsole.size() || path[kConsole.size()] == '/');
}

// The routes without a token whose path is one word.
std::optional<Route> match_open(std::string_view method, std::string_view path) {
  if (path == kHealth) return open_route(kHealth, Endpoint::health, is_read(method));
  if (path == kReady) return open_route(kReady, Endpoint::ready, is_read(method));
  if (path == kOpenapi) return open_route(kOpenapi, Endpoint::openapi, is_read(method));
  if (path == kMetrics) return open_route(kMetrics, Endpoint::metrics, method == "GET");
  return std::nullopt;
}

Route console_route(std::string_view path) {
  Route route;
  route.endpoint = Endpoint::console;
  route.pattern = kConsole;
  route.path = path.substr(kConsole.size());
  return route;
}

}  // namespace

Result<Route> parse_route(std::string_view method, std::string_view target) {
  const std::string_view local = without_origin(target);
  const std::string_view path = split_target(local).path;
  // The old server compares the target as it was sent with what needs no token.
  const bool may_be_open = local.size() == target.size();
  if (may_be_open) {
    if (auto route = match_open(method, path)) return *std::move(route);
  }
  const bool is_plain = path.find('%') == std::string_view::npos;
  if (!is_plain && !percent_decode(path)) return bad_url(local);
  if (!path.starts_with('/')) return Route();
  if (may_be_open && is_console(path)) return console_route(path);
  Decoder decoder(path);
  const auto parts = take_apart(path, decoder);
  if (!parts) return bad_url(local);
  Route route = match(method, *parts);
  route.decoded = decoder.take();
  return route;
}

}  // namespace flowstore::api
