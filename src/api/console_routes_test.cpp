#include "api/console_routes.h"

#include <array>
#include <string>

#include "support/dispatch_test.h"

namespace flowstore::api {
namespace {

class ConsoleTest : public DispatchTest {
 protected:
  ConsoleTest() { options.has_console = true; }

  // Without a token.
  Answer open(std::string_view method, std::string_view target, Headers headers = {}) {
    return ask(method, target, "", std::move(headers), "");
  }
};

TEST_F(ConsoleTest, ServesThePageAndWhatItNamesToEverybody) {
  const Answer page = open("GET", "/console?x=1");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(page.route, "/console");
  EXPECT_EQ(verifier.questions, 0);
  int parts = 0;
  for (std::size_t at = 0; (at = page.body.find("\"console/", at)) != std::string::npos; ++parts) {
    const std::size_t end = page.body.find('"', ++at);
    const std::string target = "/" + page.body.substr(at, end - at);
    EXPECT_EQ(open("GET", target).status, 200) << target;
  }
  EXPECT_GE(parts, 3);
}

TEST_F(ConsoleTest, GivesEveryPartItsTypeAndATag) {
  struct Part {
    const char* name;
    const char* type;
  };
  for (const Part& part :
       {Part{"app.js", "text/javascript; charset=utf-8"},
        Part{"console.css", "text/css; charset=utf-8"}, Part{"icon.svg", "image/svg+xml"}}) {
    const Answer answer = open("GET", "/console/" + std::string(part.name));
    EXPECT_EQ(answer.status, 200) << part.name;
    EXPECT_EQ(answer.content_type, part.type);
    EXPECT_EQ(answer.header("etag").size(), 34u) << answer.header("etag");
    EXPECT_EQ(answer.header("cache-control"), "no-cache");
    EXPECT_FALSE(answer.body.empty());
  }
  EXPECT_NE(open("GET", "/console/app.js").header("etag"), open("GET", "/console").header("etag"));
}

TEST_F(ConsoleTest, AllowsNothingButItsOwnFilesAndRequestsToThisServer) {
  const Answer page = open("GET", "/console");
  EXPECT_EQ(page.policy,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  EXPECT_EQ(open("GET", "/console/app.js").policy, page.policy);
  EXPECT_EQ(open("GET", "/health").policy, "");
}

TEST_F(ConsoleTest, HasNoScriptOrStyleInThePageItself) {
  const std::string page = open("GET", "/console").body;
  for (const char* const inlined : {"<style", "style=", " onclick", " onload", "<script>"}) {
    EXPECT_EQ(page.find(inlined), std::string::npos) << inlined;
  }
}

TEST_F(ConsoleTest, SendsNothingAgainThatTheBrowserHas) {
  const std::string tag = open("GET", "/console").header("etag");
  for (const std::string& sent : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const Answer answer = open("GET", "/console", {{"If-None-Match", sent}});
    EXPECT_EQ(answer.status, 304) << sent;
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.content_type, "");
    EXPECT_EQ(answer.header("etag"), tag);
    EXPECT_EQ(answer.header("cache-control"), "no-cache");
    EXPECT_NE(answer.policy, "");
  }
  EXPECT_EQ(open("GET", "/console", {{"If-None-Match", "\"other\""}}).status, 200);
  const Headers date = {{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  EXPECT_EQ(open("GET", "/console", date).status, 200);
}

TEST_F(ConsoleTest, AnswersHeadLikeGet) {
  const Answer get = open("GET", "/console/console.css");
  const Answer head = open("HEAD", "/console/console.css");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.size, get.size);
  EXPECT_EQ(head.headers, get.headers);
}

TEST_F(ConsoleTest, TakesNoOtherMethod) {
  for (const char* const method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    const Answer answer = open(method, "/console");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.header("allow"), "GET, HEAD");
  }
}

TEST_F(ConsoleTest, HasNoOtherFiles) {
  for (const char* const target : {"/console/x.js", "/console/app.js/", "/console//app.js",
                                   "/console/../health", "/console/%2e%2e/health"}) {
    EXPECT_EQ(open("GET", target).status, 404) << target;
  }
  const Answer slash = open("GET", "/console/");
  EXPECT_EQ(slash.status, 308);
  EXPECT_EQ(slash.header("location"), "../console");
}

TEST_F(ConsoleTest, IsNoRouteWhereItIsOff) {
  options.has_console = false;
  for (const char* const target : {"/console", "/console/", "/console/app.js"}) {
    EXPECT_EQ(open("GET", target).status, 401) << target;
    const Answer answer = ask("GET", target);
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(answer.body, R"({"message":"Route GET:)" + std::string(target) +
                               R"( not found","error":"Not Found","statusCode":404})");
  }
}

}  // namespace
}  // namespace flowstore::api
