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
  EXPECT_EQ(endpoint_of("GET", "/metrics"), Endpoint::metrics);
  EXPECT_EQ(endpoint_of("HEAD", "/metrics"), Endpoint::missing);
  EXPECT_EQ(endpoint_of("GET", "/v1/files/t/p/a"), Endpoint::file_read);
  EXPECT_EQ(endpoint_of("HEAD", "/v1/files/t/p/a"), Endpoint::file_read);
  EXPECT_EQ(endpoint_of("POST", "/v1/files/t/p/"), Endpoint::file_write);
  EXPECT_EQ(endpoint_of("DELETE", "/v1/files/t/p/a/b"), Endpoint::file_delete);
  EXPECT_EQ(endpoint_of("GET", "/v1/quota/t/p"), Endpoint::project_quota);
  EXPECT_EQ(endpoint_of("GET", "/v1/quota/t"), Endpoint::team_quota);
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

TEST(Route, DecodesEachPartAfterSplitting) {
  const auto route = parse_route("GET", "/v1/files/t%2Fx/p%20q/d%2Fe/../f?x=%");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->team, "t/x");
  EXPECT_EQ(route->project, "p q");
  EXPECT_EQ(route->path, "d/e/../f");
  EXPECT_EQ(route->pattern, "/v1/files/:teamId/:projectId/*");
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
