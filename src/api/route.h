// Route: which resource a request names.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flowstore::api {

// Every route of the service. `unknown` is what the old server's router does not match, too.
enum class Endpoint : std::uint8_t {
  unknown,
  missing,              // another method of the four below: 404 without asking for a token
  health,               // GET|HEAD /health
  ready,                // GET|HEAD /ready
  openapi,              // GET|HEAD /openapi.yaml
  metrics,              // GET /metrics
  console,              // /console and what lies below it, any method; only where it is on
  file_read,            // GET|HEAD /v1/files/:teamId/:projectId/*
  file_write,           // POST
  file_delete,          // DELETE
  project_quota,        // GET|HEAD /v1/quota/:teamId/:projectId
  team_quota,           // GET|HEAD /v1/quota/:teamId
  context_get,          // GET|HEAD /v1/context/:projectId/:scope
  context_keys,         // GET|HEAD /v1/context/:projectId/:scope/keys
  context_set,          // POST /v1/context/:projectId/:scope
  context_delete,       // DELETE
  context_cache_read,   // GET|HEAD /v1/context/:projectId/cache
  context_cache_write,  // POST /v1/context/:projectId/cache/:scope
  context_clean,        // POST /v1/context/:projectId/clean
};

// Routes that are there only where a context store is configured.
constexpr bool is_of_context(Endpoint endpoint) noexcept {
  return endpoint >= Endpoint::context_get && endpoint <= Endpoint::context_clean;
}

struct Route {
  Route() = default;  // declared: travels through awaited expressions

  Endpoint endpoint = Endpoint::unknown;
  std::string_view pattern;  // for metrics: "/v1/files/:teamId/:projectId/*"; empty for unknown
  // The parts of the path, decoded once: pieces of the target, or of `decoded` where they are not
  // the same.
  std::string_view team;
  std::string_view project;
  std::string_view path;   // of files; of the console: as sent, what follows "/console"
  std::string_view scope;  // of context, in the request's form
  std::unique_ptr<const std::string> decoded;
};

// Reads method and path. Case and slashes count; ids are matched up to 500 characters, as the old
// server's router has it. A target with scheme and host ("http://host/v1/...") is that of its path,
// except that it needs a token always. The target must outlive the route. Error: FST_ERR_BAD_URL
// for a malformed %XX anywhere in the path.
Result<Route> parse_route(std::string_view method, std::string_view target);

}  // namespace flowstore::api
