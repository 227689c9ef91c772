#include "api/admin_dispatch.h"

#include <optional>

#include <gtest/gtest.h>

#include "support/bodies.h"
#include "support/run.h"

namespace flowstore::api {
namespace {

class NoBody final : public ByteSource {
 public:
  Task<Result<std::string_view>> next() override { co_return std::string_view(); }
  std::optional<std::uint64_t> size() const override { return 0; }
};

class AdminDispatchTest : public testing::Test {
 protected:
  // The status, with the body in `body`.
  int ask(std::string_view method, std::string_view target, std::string_view authorization = "") {
    NoBody nothing;
    const http::Peer peer;
    const Caller caller;
    std::vector<http::Header> headers;
    if (!authorization.empty()) headers.push_back({"Authorization", authorization});
    http::Request request(method, target, headers, peer, nothing, caller);
    AdminDispatch dispatch(*tokens, readiness, registry);
    http::Response response = run(dispatch.handle(request));
    body = bytes_of(response.content);
    return response.status;
  }

  static std::vector<config::FixedToken> one_token() {
    std::vector<config::FixedToken> tokens(1);
    tokens[0].token = Secret("operator");
    return tokens;
  }

  SystemClock clock;
  Readiness readiness{clock};
  metrics::Registry registry;
  std::optional<auth::ServiceTokens> tokens{std::in_place, one_token()};
  std::string body;
};

TEST_F(AdminDispatchTest, ServesMetricsToItsTokenOnly) {
  registry.counter("flowstore_x_total", "X.").add();
  EXPECT_EQ(ask("GET", "/metrics", "Bearer operator"), 200);
  EXPECT_NE(body.find("flowstore_x_total 1"), std::string::npos) << body;
  for (const char* const wrong : {"", "Bearer other", "Bearer ", "operator", "Basic operator"}) {
    EXPECT_EQ(ask("GET", "/metrics", wrong), 401) << wrong;
    EXPECT_EQ(body.find("flowstore_x_total"), std::string::npos);
  }
}

TEST_F(AdminDispatchTest, ServesHealthToEverybody) {
  EXPECT_EQ(ask("GET", "/health"), 200);
  EXPECT_EQ(body, R"({"statusCode":200,"status":"ok"})");
}

TEST_F(AdminDispatchTest, SaysToEverybodyWhetherItIsReady) {
  EXPECT_EQ(ask("GET", "/ready"), 200);
  EXPECT_EQ(body, R"({"statusCode":200,"status":"ok","dependencies":{}})");
}

TEST_F(AdminDispatchTest, DescribesItself) {
  EXPECT_EQ(ask("GET", "/openapi.yaml"), 200);
  EXPECT_NE(body.find("\nopenapi: 3.1.0\n"), std::string::npos);
}

TEST_F(AdminDispatchTest, HasNothingElse) {
  for (const char* const target : {"/", "/v1/files/t/p/a", "/v1/quota/t", "/v1/context/p/s/keys"}) {
    EXPECT_EQ(ask("GET", target), 401) << target;
    EXPECT_EQ(ask("GET", target, "Bearer operator"), 404) << target;
  }
  EXPECT_EQ(ask("POST", "/metrics", "Bearer operator"), 404);
  EXPECT_EQ(ask("GET", "/%zz", "Bearer operator"), 400);
}

TEST_F(AdminDispatchTest, AsksForNoTokenWhereNoneIsConfigured) {
  tokens.emplace(std::vector<config::FixedToken>());
  EXPECT_EQ(ask("GET", "/metrics"), 200);
  EXPECT_EQ(ask("GET", "/v1/quota/t"), 404);
}

}  // namespace
}  // namespace flowstore::api
