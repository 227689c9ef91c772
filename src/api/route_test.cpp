#include "api/route.h"

#include <gtest/gtest.h>

namespace flowstore::api {
namespace {

Endpoint endpoint_of(std::string_view method, std::string_view target) {
  const auto route = parse_route(method, target);
  return route ? route->endpoint : Endpoint::unknown;
}

TEST(Route, KnowsItsEndpoints) {
  EXPECT_EQ(endpoint_of("GET", "/health"), Endpoint::health);
  EXPECT_EQ(endpoint_of("HEAD", "/health?x=1"), Endpoint::health);
  EXPECT_EQ(endpoint_of("POST", "/health"), Endpoint::missing);
  EXPECT_EQ(endpoint_of("HEAD", "/ready?x=1"), Endpoint::ready);
  EXPECT_EQ(endpoint_of("DELETE", "/ready"), Endpoint::missing);
  EXPECT_EQ(endpoint_of("GET", "/openapi.yaml"), Endpoint::openapi);
  EXPECT_EQ(endpoint_of("GET", "/metrics"), Endpoint::metrics);
  EXPECT_EQ(endpoint_of("HEAD", "/metrics"), Endpoint::missing);
  EXPECT_EQ(endpoint_of("GET", "/v1/files/t/p/a"), Endpoint::file_read);
  EXPECT_EQ(endpoint_of("HEAD", "/v1/files/t/p/a"), Endpoint::file_read);
  EXPECT_EQ(endpoint_of("POST", "/v1/files/t/p/"), Endpoint::file_write);
  EXPECT_EQ(endpoint_of("DELETE", "/v1/files/t/p/a/b"), Endpoint::file_delete);
  EXPECT_EQ(endpoint_of("GET", "/v1/quota/t/p"), Endpoint::project_quota);
  EXPECT_EQ(endpoint_of("GET", "/v1/quota/t"), Endpoint::team_quota);
}

TEST(Route, KnowsTheConsoleAndWhatLiesBelowIt) {
  for (const char* const path : {"", "/", "/app.js", "/a/b"}) {
    const std::string target = "/console" + std::string(path) + "?x=1";
    const auto route = parse_route("GET", target);
    EXPECT_EQ(route->endpoint, Endpoint::console) << target;
    EXPECT_EQ(route->pattern, "/console");
    EXPECT_EQ(route->path, path);
  }
  EXPECT_EQ(endpoint_of("GET", "/consoles"), Endpoint::unknown);
  EXPECT_EQ(endpoint_of("GET", "/Console"), Endpoint::unknown);
  EXPECT_FALSE(parse_route("GET", "/console/%zz"));
}

struct ContextCase {
  const char* method;
  const char* target;
  Endpoint endpoint;
  const char* pattern;
  const char* scope;
};

TEST(Route, KnowsTheEndpointsOfContext) {
  const ContextCase cases[] = {
      {"GET", "/v1/context/p/s", Endpoint::context_get, "/v1/context/:projectId/:scope", "s"},
      {"HEAD", "/v1/context/p/s", Endpoint::context_get, "/v1/context/:projectId/:scope", "s"},
      {"POST", "/v1/context/p/s", Endpoint::context_set, "/v1/context/:projectId/:scope", "s"},
      {"DELETE", "/v1/context/p/s", Endpoint::context_delete, "/v1/context/:projectId/:scope", "s"},
      {"GET", "/v1/context/p/s/keys", Endpoint::context_keys, "/v1/context/:projectId/:scope/keys",
       "s"},
      {"GET", "/v1/context/p/cache", Endpoint::context_cache_read, "/v1/context/:projectId/cache",
       "cache"},
      {"HEAD", "/v1/context/p/%63ache?limit=1", Endpoint::context_cache_read,
       "/v1/context/:projectId/cache", "cache"},
      {"POST", "/v1/context/p/cache/s", Endpoint::context_cache_write,
       "/v1/context/:projectId/cache/:scope", "s"},
      {"POST", "/v1/context/p/clean", Endpoint::context_clean, "/v1/context/:projectId/clean",
       "clean"},
      // The empty scope.
      {"GET", "/v1/context/p/?key=a", Endpoint::context_get, "/v1/context/:projectId/:scope", ""},
      {"POST", "/v1/context/p/", Endpoint::context_set, "/v1/context/:projectId/:scope", ""},
      {"GET", "/v1/context/p//keys", Endpoint::context_keys, "/v1/context/:projectId/:scope/keys",
       ""},
      {"POST", "/v1/context/p/cache/", Endpoint::context_cache_write,
       "/v1/context/:projectId/cache/:scope", ""},
      // Scopes that are called like a route, where the route does not shadow them.
      {"POST", "/v1/context/p/cache", Endpoint::context_set, "/v1/context/:projectId/:scope",
       "cache"},
      {"DELETE", "/v1/context/p/cache", Endpoint::context_delete, "/v1/context/:projectId/:scope",
       "cache"},
      {"GET", "/v1/context/p/cache/keys", Endpoint::context_keys,
       "/v1/context/:projectId/:scope/keys", "cache"},
      {"POST", "/v1/context/p/cache/keys", Endpoint::context_cache_write,
       "/v1/context/:projectId/cache/:scope", "keys"},
      {"POST", "/v1/context/p/cache/cache", Endpoint::context_cache_write,
       "/v1/context/:projectId/cache/:scope", "cache"},
      {"GET", "/v1/context/p/clean?key=a", Endpoint::context_get, "/v1/context/:projectId/:scope",
       "clean"},
      {"DELETE", "/v1/context/p/clean", Endpoint::context_delete, "/v1/context/:projectId/:scope",
       "clean"},
      {"GET", "/v1/context/p/keys", Endpoint::context_get, "/v1/context/:projectId/:scope", "keys"},
      {"GET", "/v1/context/p/a%2Fb/keys", Endpoint::context_keys,
       "/v1/context/:projectId/:scope/keys", "a/b"},
      {"POST", "/v1/context/p/cache/a%2Fb", Endpoint::context_cache_write,
       "/v1/context/:projectId/cache/:scope", "a/b"},
  };
  for (const ContextCase& expected : cases) {
    const auto route = parse_route(expected.method, expected.target);
    ASSERT_TRUE(route) << expected.target;
    EXPECT_EQ(route->endpoint, expected.endpoint) << expected.method << expected.target;
    EXPECT_EQ(route->pattern, expected.pattern) << expected.target;
    EXPECT_EQ(route->project, "p") << expected.target;
    EXPECT_EQ(route->scope, expected.scope) << expected.target;
    EXPECT_TRUE(is_of_context(route->endpoint)) << expected.target;
  }
  EXPECT_FALSE(is_of_context(Endpoint::file_read));
  EXPECT_FALSE(is_of_context(Endpoint::unknown));
}

TEST(Route, IsUnknownWhereContextHasNoRoute) {
  const std::string long_scope(501, 's');
  for (const std::string& target :
       {std::string("/v1/context"), std::string("/v1/context/p"), std::string("/v1/context/p//"),
        std::string("/v1/context//s"), std::string("/v1/context/p/s/"),
        std::string("/v1/context/p/s/keys/"), std::string("/v1/context/p/s/Keys"),
        std::string("/v1/context/p/cache/"), std::string("/v1/context/p/cache/s"),
        std::string("/v1/Context/p/s"), "/v1/context/p/" + long_scope,
        "/v1/context/" + long_scope + "/s", "/v1/context/p/" + long_scope + "/keys"}) {
    EXPECT_EQ(endpoint_of("GET", target), Endpoint::unknown) << target;
  }
  for (const std::string& target :
       {std::string("/v1/context/p/s/keys"), std::string("/v1/context/p/clean/x"),
        std::string("/v1/context/p//keys"), std::string("/v1/context/p/cache/a/b"),
        "/v1/context/p/cache/" + long_scope}) {
    EXPECT_EQ(endpoint_of("POST", target), Endpoint::unknown) << target;
  }
  EXPECT_EQ(endpoint_of("PUT", "/v1/context/p/s"), Endpoint::unknown);
  EXPECT_EQ(endpoint_of("OPTIONS", "/v1/context/p/s"), Endpoint::unknown);
  EXPECT_EQ(endpoint_of("DELETE", "/v1/context/p/cache/s"), Endpoint::unknown);
}

TEST(Route, IsUnknownForEverythingElse) {
  for (const char* const target :
       {"/", "", "/v1", "/v1/files", "/v1/files/t", "/v1/files/t/p", "/v1/files//p/a",
        "/v1/files/t//a", "/v1/quota/t/p/", "/v1/quota/t/", "/v1//quota/t/p", "/V1/quota/t/p",
        "/health/", "//health", "http://host/health", "*", "/v2/files/t/p/a"}) {
    EXPECT_EQ(endpoint_of("GET", target), Endpoint::unknown) << target;
  }
  EXPECT_EQ(endpoint_of("PUT", "/v1/files/t/p/a"), Endpoint::unknown);
  EXPECT_EQ(endpoint_of("POST", "/v1/quota/t/p"), Endpoint::unknown);
}

TEST(Route, TakesATargetThatNamesItsHost) {
  for (const std::string_view origin : {"http://host", "https://user@host:3001", "http://[::1]"}) {
    const std::string target = std::string(origin) + "/v1/files/t/p/http://x/y?z=/";
    const auto route = parse_route("GET", target);
    ASSERT_TRUE(route) << target;
    EXPECT_EQ(route->endpoint, Endpoint::file_read) << target;
    EXPECT_EQ(route->project, "p") << target;
    EXPECT_EQ(route->path, "http://x/y") << target;
  }
  for (const char* const target :
       {"http://host", "http://host?/v1/quota/t", "http://host#/v1/quota/t", "http:/v1/quota/t",
        "ftp://host/v1/quota/t", "/http://host/v1/quota/t"}) {
    EXPECT_EQ(endpoint_of("GET", target), Endpoint::unknown) << target;
  }
  EXPECT_EQ(parse_route("GET", "http://host/v1/%").error().message(),
            "'/v1/%' is not a valid url component");
}

// Those who compare targets as they were sent must not be led past the token.
TEST(Route, NeedsATokenForATargetThatNamesItsHost) {
  for (const char* const path : {"/health", "/ready", "/metrics", "/openapi.yaml", "/console"}) {
    EXPECT_EQ(endpoint_of("GET", "http://host" + std::string(path)), Endpoint::unknown) << path;
  }
}

TEST(Route, DecodesEachPartAfterSplitting) {
  const auto route = parse_route("GET", "/v1/files/t%2Fx/p%20q/d%2Fe/../f?x=%");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->team, "t/x");
  EXPECT_EQ(route->project, "p q");
  EXPECT_EQ(route->path, "d/e/../f");
  EXPECT_EQ(route->pattern, "/v1/files/:teamId/:projectId/*");
}

TEST(Route, HoldsOnToItsPartsWhenItMoves) {
  const std::string_view target = "/v1/files/t/p%20q/d%2Fe/f";
  Route route = *parse_route("GET", target);
  const Route moved = std::move(route);
  EXPECT_EQ(moved.team, "t");
  EXPECT_EQ(moved.project, "p q");
  EXPECT_EQ(moved.path, "d/e/f");
}

TEST(Route, TakesIdsUpTo500Characters) {
  EXPECT_EQ(endpoint_of("GET", "/v1/quota/" + std::string(500, 't') + "/p"),
            Endpoint::project_quota);
  EXPECT_EQ(endpoint_of("GET", "/v1/quota/" + std::string(501, 't') + "/p"), Endpoint::unknown);
}

TEST(Route, RefusesBadPercentEncodingWithTheTargetAsSent) {
  const auto route = parse_route("GET", "/nope/a%?q=1");
  ASSERT_FALSE(route);
  EXPECT_EQ(route.error().code(), "FST_ERR_BAD_URL");
  EXPECT_EQ(route.error().message(), "'/nope/a%?q=1' is not a valid url component");
}

}  // namespace
}  // namespace flowstore::api
