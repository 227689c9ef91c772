// The routes of context as a client sees them: contract sections 1.4, 4.2 to 4.8, and 0.

#include <gtest/gtest.h>

#include "support/context_api_test.h"

namespace flowstore::api {
namespace {

constexpr const char* kJsonType = "application/json; charset=utf-8";

TEST_F(ContextApiTest, SetsAndGets) {
  const Answer set = post("p/global", R"([{"key":"a","value":1}])");
  EXPECT_EQ(set.status, 200);
  EXPECT_EQ(set.content_type, kJsonType);
  EXPECT_EQ(set.body, "{}");
  EXPECT_EQ(set.route, "/v1/context/:projectId/:scope");
  const Answer got = get("p/global?key=a");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.content_type, kJsonType);
  EXPECT_EQ(got.body, R"([{"key":"a","value":1}])");
  EXPECT_EQ(got.size, 23u);
}

TEST_F(ContextApiTest, ChecksTheTokenBeforeTheBody) {
  EXPECT_EQ(ask("POST", "p/s", "[]", kJson, "Bearer bad").status, 401);
  EXPECT_EQ(body_reads, 0);
  EXPECT_EQ(ask("POST", "other/s", "[]", kJson).status, 401);
  EXPECT_EQ(ask("POST", "p/s", "x", {{"Content-Type", "image/png"}}, "Bearer bad").status, 401);
  EXPECT_EQ(ask("GET", "p/s", "", {}, "").status, 401);
  EXPECT_EQ(ask("GET", "p/s", "", {}, "Bearer down").status, 503);
  EXPECT_EQ(ask("POST", "p/cache/s", "{}", kJson, "Bearer bad").status, 401);
  EXPECT_EQ(ask("POST", "p/clean", "", {}, "Bearer bad").status, 401);
  EXPECT_EQ(ask("DELETE", "p/s", "", {}, "Bearer bad").status, 401);
}

TEST_F(ContextApiTest, KeepsProjectsApart) {
  set("s", "k", "1");
  EXPECT_EQ(ask("POST", "pp/s", R"([{"key":"k","value":2}])", kJson).status, 200);
  EXPECT_EQ(get("p/s?key=k").body, R"([{"key":"k","value":1}])");
  EXPECT_EQ(ask("POST", "pp/clean", "", {}).status, 200);
  EXPECT_EQ(get("p/cache").body,
            R"({"meta":{},"count":1,"data":[{"scope":"s","values":{"k":1}}]})");
}

TEST_F(ContextApiTest, AsksNobodyAboutAProjectThatCannotBe) {
  for (const char* const target :
       {"%2e%2e/s", "p%3Fx/s", "a%2Fb/s/keys", "p%5C/cache", "%20p/s", "p%00/s"}) {
    EXPECT_EQ(get(target).status, 400) << target;
  }
  EXPECT_EQ(verifier.questions, 0);
}

TEST_F(ContextApiTest, TakesATokenThatIsBoundToATeam) {
  verifier.grant.team = "t";
  EXPECT_EQ(post("p/s", R"([{"key":"a","value":1}])").status, 200);
}

TEST_F(ContextApiTest, ReadsWhatFollowsTheFirstMarkOfATargetAsItsQuery) {
  EXPECT_EQ(post("p/s", R"([{"key":"a#b","value":1}])").status, 200);
  EXPECT_EQ(get("p/s?key=a#b").body, R"([{"key":"a#b","value":1}])");
  EXPECT_EQ(get("p/s#key=a#b").body, R"([{"key":"a#b","value":1}])");
  EXPECT_EQ(get("p/cache?limit=1#").body,
            R"({"meta":{"next_cursor":1},"count":1,"data":[{"scope":"s","values":{"a#b":1}}]})");
}

TEST_F(ContextApiTest, GetsManyKeysInTheirOrder) {
  post("p/flow1", R"([{"key":"a","value":1},{"key":"c","value":{"d":[1]}}])");
  EXPECT_EQ(
      get("p/flow1?key=a&key=b&key=a&key=c.d").body,
      R"([{"key":"a","value":1},{"key":"b"},{"key":"a","value":1},{"key":"c.d","value":[1]}])");
}

TEST_F(ContextApiTest, LeavesTheValueOutWhereThereIsNone) {
  post("p/g", R"([{"key":"a","value":{"x":1}},{"key":"n","value":null},{"key":"s","value":"abc"},)"
              R"({"key":"arr","value":[1,2]}])");
  EXPECT_EQ(get("p/g?key=a.b&key=a.b.c&key=n&key=n.x&key=s.length&key=arr[1]&key=arr[9].z").body,
            R"([{"key":"a.b"},{"key":"a.b.c"},{"key":"n","value":null},{"key":"n.x"},)"
            R"({"key":"s.length","value":3},{"key":"arr[1]","value":2},{"key":"arr[9].z"}])");
}

TEST_F(ContextApiTest, ReadsQueriesAsTheOldServerDoes) {
  set("s", "%zz", "1");
  set("s", "a=b", "2");
  EXPECT_EQ(get("p/s?key=%zz").body, R"([{"key":"%zz","value":1}])");
  EXPECT_EQ(get("p/s?k%65y=a=b&other=1").body, R"([{"key":"a=b","value":2}])");
  EXPECT_EQ(get("p/s?key=%22x").status, 400);  // a quote that is not closed
  EXPECT_EQ(get("p/s?key=h%C3%A9%5B%22%F0%9F%98%80%22%5D").body, R"([{"key":"hé[\"😀\"]"}])");
  const Answer spaces = get("p/s?key=a+b");
  EXPECT_EQ(spaces.status, 400);
  EXPECT_EQ(spaces.body,
            R"({"statusCode":400,"code":"INVALID_EXPR","error":"Bad Request",)"
            R"("message":"Invalid property expression: unexpected ' ' at position 1"})");
}

TEST_F(ContextApiTest, NeedsAKeyToGet) {
  const std::string body = R"({"statusCode":400,"code":"FST_ERR_VALIDATION","error":"Bad Request",)"
                           R"("message":"querystring must have required property 'key'"})";
  EXPECT_EQ(get("p/s").body, body);
  EXPECT_EQ(get("p/s?keys=a").body, body);
  EXPECT_EQ(get("p/s?").status, 400);
  // An empty one is a key, which is looked at only where there is a scope.
  EXPECT_EQ(get("p/s?key=").body, "[]");
  EXPECT_EQ(get("p/s?key").body, "[]");
  set("s", "a", "1");
  EXPECT_EQ(get("p/s?key").body, R"({"statusCode":400,"code":"INVALID_EXPR","error":"Bad Request",)"
                                 R"("message":"Invalid property expression: zero-length"})");
}

TEST_F(ContextApiTest, AnswersAMissingScopeWithNothing) {
  EXPECT_EQ(get("p/none?key=a&key=[").body, "[]");
  EXPECT_EQ(get("p/none/keys").body, "[]");
  EXPECT_EQ(get("p/cache").body, R"({"meta":{},"count":0,"data":[]})");
}

TEST_F(ContextApiTest, ListsKeysInJavaScriptsOrder) {
  post("p/s", R"([{"key":"b","value":1},{"key":"10","value":2},{"key":"9","value":3}])");
  const Answer keys = get("p/s/keys");
  EXPECT_EQ(keys.body, R"(["9","10","b"])");
  EXPECT_EQ(keys.route, "/v1/context/:projectId/:scope/keys");
  EXPECT_EQ(ask("HEAD", "p/s/keys").size, 14u);
}

TEST_F(ContextApiTest, RefusesOneBadExpressionAndChangesNothing) {
  const Answer refused = post("p/s", R"([{"key":"ok","value":1},{"key":".bad","value":2}])");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.content_type, kJsonType);
  EXPECT_EQ(refused.body, R"({"error":"Invalid property expression: unexpected . at position 0",)"
                          R"("code":"INVALID_EXPR"})");
  EXPECT_EQ(get("p/cache").body, R"({"meta":{},"count":0,"data":[]})");
  EXPECT_EQ(post("p/s", R"([{"key":"a.😀","value":1}])").body,
            R"({"error":"Invalid property expression: unexpected \ud83d at position 2",)"
            R"("code":"INVALID_EXPR"})");
}

TEST_F(ContextApiTest, RefusesAnItemWithoutAKey) {
  EXPECT_EQ(post("p/s", R"([{"value":1}])").body,
            R"x({"error":"Cannot read properties of undefined (reading 'indexOf')"})x");
  EXPECT_EQ(post("p/s", R"([{}])").status, 400);
}

TEST_F(ContextApiTest, DeletesValuesThatAreNotSent) {
  post("p/s", R"([{"key":"a","value":[1,2,3]},{"key":"b","value":2}])");
  EXPECT_EQ(post("p/s", R"([{"key":"a[1]"},{"key":"b"},{"key":"nope.x"}])").body, "{}");
  EXPECT_EQ(get("p/s?key=a&key=b").body, R"([{"key":"a","value":[1,3]},{"key":"b"}])");
  EXPECT_EQ(post("p/s", R"([{"key":"a"}])").status, 200);
  EXPECT_EQ(get("p/cache").body, R"({"meta":{},"count":0,"data":[]})");
  EXPECT_EQ(post("p/s", "[]").body, "{}");
}

TEST_F(ContextApiTest, KeepsValuesAsJavaScriptWouldWriteThem) {
  post("p/s",
       R"([{"key":"k","value":[1.0,1e400,9007199254740993,-0,1e21,"\/\u0041\ud800\u0000"]}])");
  EXPECT_EQ(get("p/s?key=k").body,
            R"([{"key":"k","value":[1,null,9007199254740992,0,1e+21,"/A\ud800\u0000"]}])");
}

TEST_F(ContextApiTest, TakesThreeThousandLevelsAndRefusesFiveThousand) {
  const auto nested = [](std::size_t levels) {
    return R"([{"key":"k","value":)" + std::string(levels, '[') + std::string(levels, ']') + "}]";
  };
  EXPECT_EQ(post("p/s", nested(3000)).status, 200);
  EXPECT_EQ(get("p/s?key=k").size, 22u + 6000);
  const Answer refused = post("p/s", nested(5000));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, R"({"error":"Maximum call stack size exceeded"})");
}

TEST_F(ContextApiTest, WritesACacheUnderLiteralNames) {
  const Answer written = post("p/cache/f", R"({"a.b":1,"c[0]":2,"msg.x":3,"has space":4,"":5})");
  EXPECT_EQ(written.status, 200);
  EXPECT_EQ(written.body, "{}");
  EXPECT_EQ(written.route, "/v1/context/:projectId/cache/:scope");
  EXPECT_EQ(get("p/cache").body, R"({"meta":{},"count":1,"data":[{"scope":"f","values":)"
                                 R"({"a.b":1,"c[0]":2,"msg.x":3,"has space":4,"":5}}]})");
  EXPECT_EQ(post("p/cache/f", R"({"z":null})").status, 200);
  EXPECT_EQ(get("p/f/keys").body, R"(["z"])");
  EXPECT_EQ(post("p/cache/f", "{}").status, 200);
  EXPECT_EQ(post("p/cache/f", "{}").status, 200);
  EXPECT_EQ(get("p/cache").body, R"({"meta":{},"count":0,"data":[]})");
}

TEST_F(ContextApiTest, WritesACacheOnlyFromAnObject) {
  const std::string body = R"({"statusCode":400,"code":"FST_ERR_VALIDATION",)"
                           R"("error":"Bad Request","message":"body must be object"})";
  for (const char* const text : {"[]", "5", "null", "\"x\"", "true", "[{}]"}) {
    EXPECT_EQ(post("p/cache/f", text).body, body) << text;
  }
  EXPECT_EQ(ask("POST", "p/cache/f").body, body);  // no body at all
  EXPECT_EQ(ask("POST", "p/cache/f", "{}", {{"Content-Type", "text/plain"}}).body, body);
}

TEST_F(ContextApiTest, DeletesScopes) {
  set("n1:f1", "k", "1");
  const Answer removed = ask("DELETE", "p/n1:f1");
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(removed.body, "");
  EXPECT_EQ(removed.content_type, "");
  EXPECT_EQ(removed.size, 0u);
  EXPECT_EQ(get("p/n1:f1/keys").body, "[]");
  EXPECT_EQ(ask("DELETE", "p/nosuch").status, 200);
}

TEST_F(ContextApiTest, DeletesWhateverTheBodyIfItIsOne) {
  for (const Headers& headers :
       {Headers(), kJson, Headers{{"Content-Type", "application/octet-stream"}},
        Headers{{"Content-Type", "nonsense"}}}) {
    EXPECT_EQ(ask("DELETE", "p/s", "", headers).status, 200);
    announces_length = false;
    EXPECT_EQ(ask("DELETE", "p/s", "", headers).status, 200);
    announces_length = true;
  }
  EXPECT_EQ(ask("DELETE", "p/s", "{}", kJson).status, 200);
  EXPECT_EQ(ask("DELETE", "p/s", "x", {{"Content-Type", "text/plain"}}).status, 200);
  EXPECT_EQ(ask("DELETE", "p/s", "{", kJson).status, 400);
  EXPECT_EQ(ask("DELETE", "p/s", "x", {{"Content-Type", "image/png"}}).status, 415);
  EXPECT_EQ(ask("DELETE", "p/s", "x").status, 415);
}

TEST_F(ContextApiTest, CleansWhatNoIdKeeps) {
  for (const char* const scope : {"global", "f1", "f2", "n1:f1", "n1:f2", "n2:f2"}) {
    set(scope, "k", "1");
  }
  const Answer cleaned = post("p/clean", R"(["f1","n1"])");
  EXPECT_EQ(cleaned.status, 200);
  EXPECT_EQ(cleaned.body, "");
  EXPECT_EQ(cleaned.content_type, "");
  EXPECT_EQ(cleaned.route, "/v1/context/:projectId/clean");
  EXPECT_EQ(get("p/cache").body,
            R"({"meta":{},"count":4,"data":[{"scope":"global","values":{"k":1}},)"
            R"({"scope":"f1","values":{"k":1}},{"scope":"n1:f1","values":{"k":1}},)"
            R"({"scope":"n1:f2","values":{"k":1}}]})");
}

TEST_F(ContextApiTest, CleansEverythingButGlobalForNoIds) {
  const std::string left = R"({"meta":{},"count":1,"data":[{"scope":"global","values":{"k":1}}]})";
  set("global", "k", "1");
  for (const char* const text : {"[]", "null", ""}) {
    set("f", "k", "1");
    EXPECT_EQ(post("p/clean", text).status, 200) << text;
    EXPECT_EQ(get("p/cache").body, left) << text;
  }
  set("f", "k", "1");
  EXPECT_EQ(ask("POST", "p/clean", "", {{"Content-Type", "image/png"}}).status, 200);
  EXPECT_EQ(get("p/cache").body, left);
}

TEST_F(ContextApiTest, CleansForAListOfIdsOnly) {
  set("f", "k", "1");
  for (const char* const text : {"{}", "5", "true", "\"f\"", "[1]", "[\"f\",null]", "[[\"f\"]]"}) {
    const Answer refused = post("p/clean", text);
    EXPECT_EQ(refused.status, 400) << text;
    EXPECT_NE(refused.body.find("FST_ERR_VALIDATION"), std::string::npos) << refused.body;
  }
  EXPECT_EQ(ask("POST", "p/clean", "f", {{"Content-Type", "text/plain"}}).status, 400);
  EXPECT_EQ(ask("POST", "p/clean", "[]", {{"Content-Type", "image/png"}}).status, 415);
  EXPECT_EQ(get("p/f/keys").body, R"(["k"])");
}

TEST_F(ContextApiTest, ShadowsTwoScopeNames) {
  set("cache", "k", "1");
  EXPECT_EQ(get("p/cache?key=k").body,
            R"({"meta":{},"count":1,"data":[{"scope":"cache","values":{"k":1}}]})");
  EXPECT_EQ(get("p/cache/keys").body, R"(["k"])");
  // A set of the scope "clean" is a clean, and no list of ids.
  EXPECT_EQ(post("p/clean", R"([{"key":"a","value":1}])").status, 400);
  EXPECT_EQ(get("p/cache/keys").body, R"(["k"])");
  EXPECT_EQ(post("p/cache/clean", R"({"a":1})").status, 200);
  EXPECT_EQ(get("p/clean?key=a").body, R"([{"key":"a","value":1}])");
}

TEST_F(ContextApiTest, RefusesOverQuotaInTheWordsOfContext) {
  verifier.grant.context_quota = 20;
  const Answer refused = post("p/s", R"([{"key":"k","value":"0123456789abcd"}])");
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.content_type, kJsonType);
  EXPECT_EQ(refused.body, R"({"error":"Over Quota","code":"over_quota","limit":20})");
  EXPECT_FALSE(refused.is_closed);
  // {"k":"0123456789ab"} is 20 characters: reaching the limit is allowed.
  EXPECT_EQ(post("p/s", R"([{"key":"k","value":"0123456789ab"}])").status, 200);
  EXPECT_EQ(post("p/t", R"([{"key":"k","value":1}])").status, 413);
  EXPECT_EQ(post("p/cache/t", R"({"k":1})").body,
            R"({"error":"Over Quota","code":"over_quota","limit":20})");
  // What does not grow is never refused.
  verifier.grant.context_quota = 5;
  EXPECT_EQ(post("p/s", R"([{"key":"k","value":"ba9876543210"}])").status, 200);
  EXPECT_EQ(post("p/s", R"([{"key":"k","value":"short"}])").status, 200);
  EXPECT_EQ(post("p/cache/s", R"({"k":"sho"})").status, 200);
  EXPECT_EQ(post("p/s", R"([{"key":"k"}])").status, 200);
}

TEST_F(ContextApiTest, CountsTheDefaultQuotaWhereTheTokenNamesNone) {
  limit_by_default(30);
  const std::string value(31, 'x');
  EXPECT_EQ(post("p/s", R"([{"key":"k","value":")" + value + "\"}]").body,
            R"({"error":"Over Quota","code":"over_quota","limit":30})");
  verifier.grant.context_quota = 100;
  EXPECT_EQ(post("p/s", R"([{"key":"k","value":")" + value + "\"}]").status, 200);
}

TEST_F(ContextApiTest, LetsOneTextFillTheDefaultQuotaOfAnEmptyProjectOnly) {
  limit_by_default(5000);
  const auto fill = [&](std::size_t length) {
    return post("p/s", R"([{"key":"k","value":")" + std::string(length, 'x') + "\"}]").status;
  };
  EXPECT_EQ(fill(5001), 413);
  EXPECT_EQ(fill(5000), 200);
  EXPECT_EQ(post("p/clean", "[]").status, 200);
  set("other", "x", "1");  // seven characters
  EXPECT_EQ(fill(4985), 200);
  EXPECT_EQ(ask("DELETE", "p/s").status, 200);
  for (const std::size_t length : {4986U, 4992U, 4993U, 5000U})
    EXPECT_EQ(fill(length), 413) << length;
}

TEST_F(ContextApiTest, TellsItsLimitWithTheUsageOfFiles) {
  limit_by_default(30);
  get("p/s/keys");  // now there is a store
  const auto limits = [&] { return DispatchTest::ask("GET", "/v1/quota/t/p?limits").body; };
  EXPECT_EQ(limits(), R"({"used":0,"contextLimit":30})");
  verifier.grant.context_quota = 100;
  EXPECT_EQ(limits(), R"({"used":0,"contextLimit":100})");
}

TEST_F(ContextApiTest, RefusesAnIndexBeforeItIsBuilt) {
  EXPECT_EQ(post("p/s", R"([{"key":"a[1000000]","value":1}])").status, 400);
  EXPECT_EQ(post("p/s", R"([{"key":"a[20000000]","value":1}])").status, 400);
  verifier.grant.context_quota = 1000;
  EXPECT_EQ(post("p/s", R"([{"key":"a[5000]","value":1}])").status, 413);
}

TEST_F(ContextApiTest, TellsTroubleOfTheStoreFromMistakesOfTheClient) {
  use_scripted();
  scripted.fail(Error(ErrorKind::unavailable, "context_unavailable", "The database is down."));
  const Answer write = post("p/s", R"([{"key":"k","value":1}])");
  EXPECT_EQ(write.status, 503);
  EXPECT_NE(write.header("Retry-After"), "");
  EXPECT_EQ(write.body, R"({"error":"The database is down.","code":"context_unavailable"})");
  for (const char* const target : {"p/s?key=a", "p/s/keys", "p/cache"}) {
    const Answer read = get(target);
    EXPECT_EQ(read.status, 503) << target;
    EXPECT_NE(read.header("Retry-After"), "");
    EXPECT_EQ(read.body, R"({"statusCode":503,"code":"context_unavailable",)"
                         R"("error":"Service Unavailable","message":"The database is down."})");
  }
  EXPECT_EQ(post("p/cache/s", "{}").status, 503);
  EXPECT_EQ(post("p/clean", "[]").status, 503);
  EXPECT_EQ(ask("DELETE", "p/s").status, 503);
  EXPECT_EQ(DispatchTest::ask("GET", "/health", "", {}, "").status, 200);
  scripted.fail(Error(ErrorKind::no_space, "ENOSPC", "The database is full."));
  EXPECT_EQ(post("p/s", R"([{"key":"k","value":1}])").status, 507);
  scripted.fail(Error(ErrorKind::invalid, "", "value too long for type character varying(255)"));
  EXPECT_EQ(post("p/s", R"([{"key":"k","value":1}])").body,
            R"x({"error":"value too long for type character varying(255)"})x");
}

TEST_F(ContextApiTest, AnswersAScopeThatHoldsNoObject) {
  use_scripted();
  scripted.put("p", "f.flow", "nonsense");
  for (const char* const target : {"p/f/keys", "p/f?key=a"}) {
    const Answer answer = get(target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_NE(answer.body.find("ERR_CONTEXT_VALUES"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(post("p/f", R"([{"key":"a","value":1}])").status, 400);
  EXPECT_EQ(post("p/cache/f", R"({"a":1})").status, 200);
  EXPECT_EQ(get("p/f/keys").body, R"(["a"])");
}

}  // namespace
}  // namespace flowstore::api
