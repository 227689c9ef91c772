// Cache reads: contract section 4.5.

#include <gtest/gtest.h>

#include "support/context_api_test.h"

namespace flowstore::api {
namespace {

class ContextPagesTest : public ContextApiTest {
 protected:
  void set_five() {
    for (const char* const scope : {"f0", "f1", "f2", "f3", "f4"}) set(scope, "k", "1");
  }
  // The scopes of a page, joined.
  std::string scopes(const std::string& query) {
    const Answer answer = get("p/cache" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::string found;
    for (std::size_t at = 0; (at = answer.body.find("\"scope\":\"", at)) != std::string::npos;) {
      at += 9;
      found += answer.body.substr(at, answer.body.find('"', at) - at) + " ";
    }
    return found;
  }
  std::string cursor_of(const std::string& query) {
    const std::string body = get("p/cache" + query).body;
    const std::size_t at = body.find("\"next_cursor\":");
    if (at == std::string::npos) return "none";
    const std::size_t begin = at + 14;
    return body.substr(begin, body.find_first_not_of("0123456789", begin) - begin);
  }
};

TEST_F(ContextPagesTest, HaveTheShapeOfTheOldServer) {
  set("global", "k", "0");
  set("n1:f1", "k", "{\"b\":2,\"1\":1}");
  const Answer page = get("p/cache");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "application/json; charset=utf-8");
  EXPECT_EQ(page.route, "/v1/context/:projectId/cache");
  EXPECT_EQ(page.body, R"({"meta":{},"count":2,"data":[{"scope":"global","values":{"k":0}},)"
                       R"({"scope":"n1:f1","values":{"k":{"1":1,"b":2}}}]})");
  EXPECT_EQ(page.size, page.body.size());
  EXPECT_EQ(ask("HEAD", "p/cache").size, page.body.size());
}

TEST_F(ContextPagesTest, FollowEachOtherByCursor) {
  set_five();
  EXPECT_EQ(scopes("?limit=2"), "f0 f1 ");
  const std::string first = cursor_of("?limit=2");
  EXPECT_EQ(scopes("?limit=2&cursor=" + first), "f2 f3 ");
  const std::string second = cursor_of("?limit=2&cursor=" + first);
  EXPECT_EQ(scopes("?limit=2&cursor=" + second), "f4 ");
  EXPECT_EQ(cursor_of("?limit=2&cursor=" + second), "none");
  EXPECT_NE(get("p/cache?limit=2").body.find(R"("count":5)"), std::string::npos);
  // A full last page is followed by an empty one.
  const std::string last = cursor_of("?limit=5");
  EXPECT_NE(last, "none");
  EXPECT_EQ(get("p/cache?limit=5&cursor=" + last).body, R"({"meta":{},"count":5,"data":[]})");
  EXPECT_EQ(cursor_of("?limit=6"), "none");
}

TEST_F(ContextPagesTest, ReadTheirLimitAsJavaScriptDoes) {
  use_scripted();
  struct Limit {
    const char* query;
    std::int64_t most;
  };
  for (const auto& [query, most] : {Limit{"", 30},
                                    Limit{"?limit=20", 20},
                                    Limit{"?limit=5.9", 5},
                                    Limit{"?limit=1e3", 1},
                                    Limit{"?limit=0x10", 16},
                                    Limit{"?limit=0X1f", 31},
                                    Limit{"?limit=7&limit=8", 7},
                                    Limit{"?limit=", 1000},
                                    Limit{"?limit", 1000},
                                    Limit{"?limit=0", 1000},
                                    Limit{"?limit=-0", 1000},
                                    Limit{"?limit=abc", 1000},
                                    Limit{"?limit=0x", 1000},
                                    Limit{"?limit=.5", 1000},
                                    Limit{"?limit=-", 1000},
                                    Limit{"?limit=+12", 12},
                                    Limit{"?limit=%2B12", 12},
                                    Limit{"?limit=%09%0A%2012abc", 12},
                                    Limit{"?limit=-3", -3},
                                    Limit{"?limit=-0x10", -16},
                                    Limit{"?limit=%2012", 12},
                                    Limit{"?limit=12%zz", 12},
                                    Limit{"?limit=9007199254740993", 9007199254740992},
                                    Limit{"?Limit=4", 30}}) {
    EXPECT_EQ(get(std::string("p/cache") + query).status, 200) << query;
    EXPECT_EQ(scripted.most, most) << query;
  }
  for (const char* const query : {"?limit=9223372036854775808", "?limit=99999999999999999999999",
                                  "?limit=-99999999999999999999999"}) {
    EXPECT_EQ(get(std::string("p/cache") + query).status, 400) << query;
  }
}

TEST_F(ContextPagesTest, TakeAWholeNumberForACursor) {
  use_scripted();
  EXPECT_EQ(get("p/cache?cursor=12").status, 200);
  EXPECT_EQ(scripted.after, 12);
  EXPECT_EQ(get("p/cache?cursor=-5").status, 200);
  EXPECT_EQ(scripted.after, -5);
  for (const char* const query : {"", "?cursor=", "?cursor"}) {
    EXPECT_EQ(get(std::string("p/cache") + query).status, 200) << query;
    EXPECT_EQ(scripted.after, 0) << query;
  }
  const int calls = scripted.calls;
  for (const char* const query :
       {"?cursor=abc", "?cursor=5.5", "?cursor=5x", "?cursor=0x5", "?cursor=99999999999999999999",
        "?cursor=1&cursor=2", "?cursor=null"}) {
    const Answer answer = get(std::string("p/cache") + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_NE(answer.body.find("cursor"), std::string::npos);
  }
  EXPECT_EQ(scripted.calls, calls);
}

TEST_F(ContextPagesTest, TakeNoNoticeOfOtherParameters) {
  set_five();
  EXPECT_EQ(scopes("?query=a&query=b&x=1"), "f0 f1 f2 f3 f4 ");
}

TEST_F(ContextPagesTest, ShowEveryScopeInTheClientsForm) {
  use_scripted();
  scripted.put("p", "f1.flow", R"({"k":1})");
  scripted.put("p", "f1.nodes.n1", R"({"k":1})");
  scripted.put("p", "n1:f1", R"({"k":1})");
  scripted.put("p", "x:y.flow", R"({"k":1})");
  scripted.put("p", "h\xc3\xa9\"\n.flow", R"({"k":1})");
  EXPECT_EQ(scopes(""), "f1 n1:f1 n1:f1 x:y h\xc3\xa9\\ ");
  EXPECT_NE(get("p/cache").body.find("h\xc3\xa9\\\"\\n\""), std::string::npos);
}

TEST_F(ContextPagesTest, WriteRowsOfOtherProgramsAsJavaScriptWould) {
  use_scripted();
  scripted.put("p", "a.flow", " {\"b\" : 1.50, \"1\":\"\\u0041\"} ");
  EXPECT_EQ(get("p/cache").body,
            R"({"meta":{},"count":1,"data":[{"scope":"a","values":{"1":"A","b":1.5}}]})");
}

TEST_F(ContextPagesTest, LeaveRowsOutThatHoldNoObject) {
  use_scripted();
  scripted.put("p", "bad.flow", "{");
  scripted.put("p", "good.flow", R"({"k":1})");
  scripted.put("p", "null.flow", "null");
  EXPECT_EQ(get("p/cache").body,
            R"({"meta":{},"count":3,"data":[{"scope":"good","values":{"k":1}}]})");
}

TEST_F(ContextPagesTest, AreStreamedWhereTheirRowsAreLarge) {
  use_scripted();
  const std::string text(100'000, 'x');
  std::string expected = R"({"meta":{},"count":10,"data":[)";
  for (int i = 0; i < 10; ++i) {
    const std::string scope = "f" + std::to_string(i);
    scripted.put("p", scope + ".flow", "{\"t\":\"" + text + "\"}");
    expected +=
        (i > 0 ? "," : "") + ("{\"scope\":\"" + scope) + "\",\"values\":{\"t\":\"" + text + "\"}}";
  }
  const Answer page = get("p/cache");
  EXPECT_EQ(page.size, std::nullopt);
  EXPECT_EQ(page.body, expected + "]}");
  EXPECT_EQ(ask("HEAD", "p/cache").size, std::nullopt);
}

TEST_F(ContextPagesTest, PullNoMoreRowsThanTheyNeed) {
  use_scripted();
  for (int i = 0; i < 10; ++i) {
    scripted.put("p", std::to_string(i) + ".flow", "{\"t\":\"" + std::string(200'000, 'x') + "\"}");
  }
  CountedSource nothing("", true);
  const Headers headers = {{"Authorization", "Bearer good"}};
  get("p/s/keys");  // makes the dispatch
  http::Request request("GET", "/v1/context/p/cache", headers, peer, nothing, caller);
  const http::Response response = run(dispatch().handle(request));
  EXPECT_EQ(scripted.rows_pulled, 2);
  const auto& stream = std::get<Content::Stream>(response.content.form());
  EXPECT_GT(run(stream.source->next())->size(), 400'000u);
  EXPECT_EQ(scripted.rows_pulled, 2);
  EXPECT_LT(run(stream.source->next())->size(), 450'000u);
  EXPECT_EQ(scripted.rows_pulled, 4);
}

TEST_F(ContextPagesTest, FailAsAWholeWhereNothingHasBeenSent) {
  use_scripted();
  scripted.put("p", "a.flow", R"({"k":1})");
  scripted.put("p", "b.flow", R"({"k":1})");
  scripted.fail_pages_after(1, Error(ErrorKind::unavailable, "context_unavailable", "down"));
  EXPECT_EQ(get("p/cache").status, 503);
}

TEST_F(ContextPagesTest, BreakOffWhereTheBeginningHasBeenSent) {
  use_scripted();
  for (int i = 0; i < 4; ++i) {
    scripted.put("p", std::to_string(i) + ".flow", "{\"t\":\"" + std::string(200'000, 'x') + "\"}");
  }
  scripted.fail_pages_after(3, Error(ErrorKind::unavailable, "context_unavailable", "down"));
  CountedSource nothing("", true);
  const Headers headers = {{"Authorization", "Bearer good"}};
  get("p/s/keys");
  http::Request request("GET", "/v1/context/p/cache", headers, peer, nothing, caller);
  const http::Response response = run(dispatch().handle(request));
  const auto& stream = std::get<Content::Stream>(response.content.form());
  EXPECT_TRUE(run(stream.source->next()));
  EXPECT_FALSE(run(stream.source->next()));
}

}  // namespace
}  // namespace flowstore::api
