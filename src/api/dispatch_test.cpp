#include "support/dispatch_test.h"

#include <string>

namespace flowstore::api {
namespace {

TEST_F(DispatchTest, WritesReadsAppendsAndDeletes) {
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a.txt", "one").status, 200);
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a.txt", "two", {{"FF_MODE", "append"}}).status, 200);
  const Answer read = ask("GET", "/v1/files/t/p/a.txt");
  EXPECT_EQ(read.body, "onetwo");
  EXPECT_EQ(read.route, "/v1/files/:teamId/:projectId/*");
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/a.txt").status, 200);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/a.txt").status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/a.txt").status, 400);
}

TEST_F(DispatchTest, ChecksTheTokenBeforeTheBody) {
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a", "x", {}, "Bearer bad").status, 401);
  EXPECT_EQ(body_reads, 0);
  EXPECT_EQ(ask("POST", "/v1/files/t/q/a", "x").status, 401);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/a", "", {}, "").status, 401);
}

TEST_F(DispatchTest, TellsAPlatformThatIsDownFromARefusedToken) {
  const Answer answer = ask("GET", "/v1/files/t/p/a", "", {}, "Bearer down");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.header("Retry-After"), "");
  EXPECT_NE(answer.body.find("auth_unavailable"), std::string::npos);
}

TEST_F(DispatchTest, AsksNobodyAboutAnIdThatCannotBe) {
  for (const char* const target : {"/v1/files/t/%2e%2e/a", "/v1/files/..%2Fx/p/a",
                                   "/v1/quota/t/p%3Fx", "/v1/quota/t/p%5Cx", "/v1/quota/t/%20p"}) {
    EXPECT_EQ(ask("GET", target).status, 400) << target;
  }
  EXPECT_EQ(verifier.questions, 0);
}

TEST_F(DispatchTest, AnswersUnknownRoutesOnlyToTokensThatPass) {
  EXPECT_EQ(ask("GET", "/nope", "", {}, "Bearer bad").status, 401);
  const Answer answer = ask("PUT", "/v1/files/t/p/a", "x");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, R"({"message":"Route PUT:/v1/files/t/p/a not found","error":"Not Found",)"
                         R"("statusCode":404})");
  EXPECT_EQ(answer.route, "");
}

TEST_F(DispatchTest, KnowsNoContextWithoutAStore) {
  EXPECT_EQ(ask("GET", "/v1/context/p/global/keys", "", {}, "Bearer bad").status, 401);
  const Answer answer = ask("GET", "/v1/context/p/global/keys");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, R"({"message":"Route GET:/v1/context/p/global/keys not found",)"
                         R"("error":"Not Found","statusCode":404})");
  EXPECT_EQ(answer.route, "");
}

TEST_F(DispatchTest, ServesRanges) {
  const std::string text(100, 'x');
  ask("POST", "/v1/files/t/p/a", text + "0123456789");
  const Answer part = ask("GET", "/v1/files/t/p/a", "", {{"Range", "bytes=100-104"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "01234");
  EXPECT_EQ(part.header("content-range"), "bytes 100-104/110");
  const Answer behind = ask("GET", "/v1/files/t/p/a", "", {{"Range", "bytes=110-"}});
  EXPECT_EQ(behind.status, 416);
  EXPECT_EQ(behind.header("content-range"), "bytes */110");
  EXPECT_EQ(behind.body,
            R"({"statusCode":416,"code":"ERR_RANGE_NOT_SATISFIABLE","error":"Range Not )"
            R"(Satisfiable","message":"The range lies behind the end of the file"})");
}

TEST_F(DispatchTest, ServesConditions) {
  const std::string first = ask("POST", "/v1/files/t/p/a", "1").header("etag");
  EXPECT_EQ(ask("GET", "/v1/files/t/p/a").header("etag"), first);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/a", "", {{"If-None-Match", first}}).status, 304);
  const std::string second =
      ask("POST", "/v1/files/t/p/a", "2", {{"If-Match", first}}).header("etag");
  EXPECT_NE(first, second);
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a", "3", {{"If-Match", first}}).status, 412);
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a", "3", {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/a", "", {{"If-Match", first}}).status, 412);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/a", "", {{"If-Match", first}}).status, 412);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/a").body, "2");
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/a", "", {{"If-Match", second}}).status, 200);
}

TEST_F(DispatchTest, ListsAFolderInPages) {
  for (const char* const name : {"a", "d/x", "d/y", "z"}) {
    ask("POST", std::string("/v1/files/t/p/") + name, "12");
  }
  const std::string all = ask("GET", "/v1/files/t/p/?list").body;
  EXPECT_NE(all.find(R"("count":3,)"), std::string::npos) << all;
  EXPECT_NE(all.find(R"({"name":"d","type":"directory","size":0,)"), std::string::npos) << all;
  const std::string page = ask("GET", "/v1/files/t/p/?list&limit=2").body;
  EXPECT_NE(page.find(R"("meta":{"next_cursor":"d"})"), std::string::npos) << page;
  const std::string rest = ask("GET", "/v1/files/t/p/?list&limit=2&cursor=d").body;
  EXPECT_NE(rest.find(R"("meta":{},"count":1,"files":[{"name":"z")"), std::string::npos) << rest;
  const std::string deep = ask("GET", "/v1/files/t/p/?list&recursive").body;
  EXPECT_NE(deep.find(R"("name":"d/y")"), std::string::npos) << deep;
  EXPECT_EQ(ask("GET", "/v1/files/t/p/none/?list").status, 404);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/?list&limit=0").status, 400);
}

TEST_F(DispatchTest, RemovesAFolderOnlyWhenAskedTo) {
  ask("POST", "/v1/files/t/p/d/x", "12");
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/d").status, 400);
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/d?recursive=false").status, 400);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/d/x?list=no").body, "12");
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/d?recursive").status, 200);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/d/x").status, 404);
  EXPECT_EQ(ask("GET", "/v1/quota/t/p").body, R"({"used":0})");
}

TEST_F(DispatchTest, RemovesNothingIfTheBodyIsNoneOfItsType) {
  struct Row {
    const char* type;
    const char* body;
    int status;
    std::string_view code;
  };
  for (const Row& row : {Row{"text/html", "x", 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"},
                         Row{"", "x", 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"},
                         Row{"application/json", "{", 400, "FST_ERR_CTP_INVALID_JSON_BODY"},
                         Row{"text/plain", "\xFF", 400, "FST_ERR_CTP_INVALID_CONTENT_LENGTH"},
                         Row{"application/json", "{}", 200, ""}, Row{"text/plain", "x", 200, ""},
                         Row{"application/octet-stream", "\xFF", 200, ""},
                         Row{"application/json", "", 200, ""}, Row{"text/html", "", 200, ""}}) {
    ask("POST", "/v1/files/t/p/a", "1");
    const Answer answer = ask("DELETE", "/v1/files/t/p/a", row.body, {{"Content-Type", row.type}});
    EXPECT_EQ(answer.status, row.status) << row.type << " " << row.body;
    EXPECT_NE(answer.body.find(row.code), std::string::npos) << answer.body;
    EXPECT_EQ(ask("GET", "/v1/files/t/p/a").status, row.status == 200 ? 404 : 200);
  }
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/a", "x").status, 415);
  EXPECT_EQ(ask("DELETE", "/v1/files/t/p/a?recursive", "x").status, 415);
}

TEST_F(DispatchTest, CountsTheDifferenceTowardsTheQuota) {
  verifier.grant.file_quota = 100;
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a", std::string(90, 'x')).status, 200);
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a", std::string(99, 'y')).status, 200);
  const Answer refused = ask("POST", "/v1/files/t/p/b", "z");
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, R"({"code":"over_quota","error":"Over Quota","limit":100})");
  EXPECT_EQ(body_reads, 0);
  EXPECT_EQ(ask("GET", "/v1/quota/t/p").body, R"({"used":99})");
}

TEST_F(DispatchTest, TellsTheLimitsToThoseWhoAskForThem) {
  EXPECT_EQ(ask("GET", "/v1/quota/t/p?limits").body, R"({"used":0})");
  verifier.grant.file_quota = 100;
  verifier.grant.context_quota = 7;
  EXPECT_EQ(ask("GET", "/v1/quota/t/p").body, R"({"used":0})");
  EXPECT_EQ(ask("GET", "/v1/quota/t/p?limits=0").body, R"({"used":0})");
  // Without a context store there is no limit of one.
  EXPECT_EQ(ask("GET", "/v1/quota/t/p?limits").body, R"({"used":0,"limit":100})");
}

TEST_F(DispatchTest, TellsTheLimitThatCountsWhereTheTokenNamesNone) {
  options.files.default_quota = 50;
  EXPECT_EQ(ask("GET", "/v1/quota/t/p?limits").body, R"({"used":0,"limit":50})");
}

TEST_F(DispatchTest, ShowsATeamsUsageToThoseWhoMaySeeIt) {
  ask("POST", "/v1/files/t/p/a", "12345");
  EXPECT_EQ(ask("GET", "/v1/quota/t", "", {}, "Bearer service").body, R"({"used":5})");
  EXPECT_EQ(ask("GET", "/v1/quota/t?projectId=p").body, R"({"used":5})");
  EXPECT_EQ(ask("GET", "/v1/quota/t").status, 401);
  EXPECT_EQ(ask("GET", "/v1/quota/other?projectId=p").status, 401);
  EXPECT_EQ(ask("GET", "/v1/quota/t?projectId=q").status, 401);
}

TEST_F(DispatchTest, MakesAProjectWaitUntilItsLongAnswerWasSent) {
  options.project.under_way = 1;
  options.project.patience = std::chrono::milliseconds(1);
  ask("POST", "/v1/files/t/p/long", std::string(100'000, 'x'));
  ask("POST", "/v1/files/t/p/short", "x");
  ask("GET", "/v1/files/t/p/short");
  CountedSource no_body("", true);
  const std::vector<http::Header> headers = {{"Authorization", "Bearer good"}};
  http::Request request("GET", "/v1/files/t/p/long", headers, peer, no_body, caller);
  {
    const http::Response sending = run(dispatch().handle(request));
    const Answer refused = ask("POST", "/v1/files/t/p/short", "y");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("Retry-After"), "2");
    EXPECT_NE(refused.body.find("project_busy"), std::string::npos) << refused.body;
    EXPECT_EQ(body_reads, 0);
    EXPECT_EQ(ask("POST", "/v1/files/t/pp/a", "z").status, 200);
  }
  EXPECT_EQ(ask("GET", "/v1/files/t/p/short").body, "x");
}

TEST_F(DispatchTest, NeedsNoTokenForHealthAndMetrics) {
  EXPECT_EQ(ask("GET", "/health?x=1", "", {}, "").body, R"({"statusCode":200,"status":"ok"})");
  EXPECT_EQ(ask("GET", "/metrics", "", {}, "").status, 404);
  EXPECT_EQ(ask("POST", "/health", "", {}, "").status, 404);
}

TEST_F(DispatchTest, ShowsMetricsWhereTheyAreOn) {
  options.has_metrics = true;
  const Answer answer = ask("GET", "/metrics", "", {}, "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("flowstore_quota_scans_total"), std::string::npos);
}

TEST_F(DispatchTest, KeepsAnEnsuredFolderImaginary) {
  EXPECT_EQ(ask("POST", "/v1/files/t/p/d", "junk", {{"ff_mode", "ensureDir"}}).status, 200);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/d").status, 404);
  EXPECT_EQ(ask("POST", "/v1/files/t/p/%2Fabs", "", {{"ff_mode", "ensureDir"}}).status, 400);
}

TEST_F(DispatchTest, BoundsOneFile) {
  options.files.max_file_size = 10;
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a", std::string(10, 'x')).status, 200);
  EXPECT_EQ(ask("POST", "/v1/files/t/p/a", std::string(11, 'x')).status, 413);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/a").body.size(), 10u);
  const Answer refused = ask("POST", "/v1/files/t/p/a", "x", {{"FF_MODE", "append"}});
  EXPECT_EQ(refused.status, 413);
  EXPECT_TRUE(refused.is_closed);
  EXPECT_EQ(ask("GET", "/v1/files/t/p/a").body.size(), 10u);
}

}  // namespace
}  // namespace flowstore::api
