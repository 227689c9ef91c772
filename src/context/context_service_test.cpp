#include "context/context_service.h"

#include <array>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/manual_clock.h"
#include "support/run.h"
#include "support/scripted_context_store.h"

namespace flowstore::context {
namespace {

Error down() { return Error(ErrorKind::unavailable, "context_unavailable", "down"); }

class ContextServiceTest : public testing::Test {
 protected:
  ContextServiceTest() { EXPECT_EQ(::pipe(log_pipe.data()), 0); }
  ~ContextServiceTest() override {
    for (const int end : log_pipe) ::close(end);
  }

  ContextService& service() {
    if (!log) {
      log.emplace(LogLevel::info, LogFormat::json, clock, log_pipe[1]);
      service_.emplace(store, "scripted", default_limit, pool, clock, *log, registry);
    }
    return *service_;
  }

  Status set(const std::string& scope, std::u16string expression, std::optional<std::string> value,
             CharacterLimit granted = {}) {
    std::vector<SetItem> items;
    items.emplace_back(std::move(expression), std::move(value));
    const ScopeName name("p", scope);
    return run(service().set(caller, name, std::move(items), granted));
  }

  Result<std::optional<Values>> get(const std::string& scope,
                                    std::vector<std::u16string> expressions) {
    const ScopeName name("p", scope);
    return run(service().get(caller, name, std::move(expressions)));
  }

  // Every row of the project, as "scope=values".
  std::vector<std::string> listed() {
    const std::string project = "p";
    auto page = run(service().list(caller, project, 0, 100));
    std::vector<std::string> rows;
    while (true) {
      auto row = run(page->rows->next());
      if (!row || !*row) return rows;
      rows.push_back((*row)->scope + "=" + (*row)->values);
    }
  }

  // The lines of the log so far; ends it.
  std::string logged() {
    service_.reset();
    log.reset();
    ::close(log_pipe[1]);
    log_pipe[1] = -1;
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(log_pipe[0], buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  std::array<int, 2> log_pipe{};
  ManualClock clock;
  metrics::Registry registry;
  BlockingPool pool{1};
  ScriptedStore store;
  Caller caller;
  CharacterLimit default_limit;
  std::optional<Log> log;

 private:
  std::optional<ContextService> service_;
};

TEST_F(ContextServiceTest, NamesRowsByTheirStoredScope) {
  EXPECT_TRUE(set("n1:f1", u"k", "1"));
  EXPECT_EQ(store.asked->project, "p");
  EXPECT_EQ(store.asked->scope, "f1.nodes.n1");
  EXPECT_TRUE(get("f1", {u"k"}));
  EXPECT_EQ(store.asked->scope, "f1.flow");
  EXPECT_EQ(listed(), std::vector<std::string>{R"(n1:f1={"k":1})"});
}

TEST_F(ContextServiceTest, DoesNotAskTheStoreForNoChange) {
  const ScopeName name("p", "f");
  EXPECT_TRUE(run(service().set(caller, name, {}, {})));
  EXPECT_EQ(store.calls, 0);
}

TEST_F(ContextServiceTest, LimitsByTheGrantAndElseByTheConfiguration) {
  default_limit = 5000;
  EXPECT_TRUE(set("f", u"k", "1", 7));
  EXPECT_EQ(store.limit, 7u);
  EXPECT_TRUE(set("f", u"k", "1"));
  EXPECT_EQ(store.limit, 5000u);
  const ScopeName name("p", "f");
  EXPECT_TRUE(run(service().replace(caller, name, R"({"a":1})", 8)));
  EXPECT_EQ(store.limit, 8u);
  // Whoever removes may always do so.
  EXPECT_TRUE(run(service().remove(caller, name)));
  EXPECT_EQ(store.limit, std::nullopt);
}

TEST_F(ContextServiceTest, LetsOneValueFillTheConfiguredQuota) {
  default_limit = 100;
  const auto quoted = [](std::size_t length) { return "\"" + std::string(length, 'x') + "\""; };
  EXPECT_TRUE(set("f", u"k", quoted(100)));
  EXPECT_EQ(store.limit, 108u);
  EXPECT_TRUE(set("f", u"k", quoted(93)));
  EXPECT_EQ(store.limit, 101u);             // nothing but this value
  EXPECT_TRUE(set("f", u"k", quoted(92)));  // fits with its frame
  EXPECT_EQ(store.limit, 100u);
  EXPECT_TRUE(set("f", u"k", quoted(101)));
  EXPECT_EQ(store.limit, 100u);
  EXPECT_TRUE(set("f", u"k", quoted(100), 100));  // the platform's limit is exact
  EXPECT_EQ(store.limit, 100u);
  store.fail(Error::over_quota(108));
  EXPECT_EQ(set("f", u"k", quoted(100)).error().limit(), 100u);
}

TEST_F(ContextServiceTest, HasNoLimitWhereNobodySetsOne) {
  EXPECT_TRUE(set("f", u"k", "1"));
  EXPECT_EQ(store.limit, std::nullopt);
}

TEST_F(ContextServiceTest, ReplacesWhateverWasThere) {
  store.put("p", "f.flow", "no JSON at all");
  const ScopeName name("p", "f");
  EXPECT_TRUE(run(service().replace(caller, name, R"({"a.b":1})", {})));
  EXPECT_EQ(store.values("p", "f.flow"), R"({"a.b":1})");
  EXPECT_TRUE(run(service().replace(caller, name, "{}", {})));
  EXPECT_EQ(store.values("p", "f.flow"), std::nullopt);
}

TEST_F(ContextServiceTest, GivesAValueForEachExpression) {
  store.put("p", "f.flow", R"({"a":{"b":[1,2]},"n":null})");
  const auto values = get("f", {u"a.b[1]", u"x", u"n", u"n.x", u"a.b[1]"});
  ASSERT_TRUE(values);
  const Values expected = {"2", std::nullopt, "null", std::nullopt, "2"};
  EXPECT_EQ(*values, expected);
}

TEST_F(ContextServiceTest, DoesNotLookAtExpressionsWithoutAScope) {
  const auto values = get("f", {u"[", u""});
  ASSERT_TRUE(values);
  EXPECT_FALSE(*values);
}

TEST_F(ContextServiceTest, FailsForOneBadExpression) {
  store.put("p", "f.flow", R"({"a":1})");
  const auto values = get("f", {u"a", u"a b"});
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().code(), "INVALID_EXPR");
}

TEST_F(ContextServiceTest, ReadsLongRowsOnThePoolToTheSameEnd) {
  const std::string text(200'000, 'x');
  store.put("p", "f.flow", "{ \"t\": \"" + text + "\", \"1\": [ ] }");
  const auto values = get("f", {u"t", u"t.length"});
  ASSERT_TRUE(values);
  const Values expected = {"\"" + text + "\"", "200000"};
  EXPECT_EQ(*values, expected);
  const ScopeName name("p", "f");
  EXPECT_EQ(*run(service().keys(caller, name)), R"(["1","t"])");
  EXPECT_EQ(listed(), std::vector<std::string>{"f={\"1\":[],\"t\":\"" + text + "\"}"});
}

TEST_F(ContextServiceTest, NamesTheKeysInJavaScriptsOrder) {
  const ScopeName name("p", "f");
  EXPECT_EQ(*run(service().keys(caller, name)), "[]");
  store.put("p", "f.flow", R"({"b":1,"10":2,"9":3,"a\"":4})");
  EXPECT_EQ(*run(service().keys(caller, name)), R"(["9","10","b","a\""])");
}

TEST_F(ContextServiceTest, AnswersReadsOfARowWithoutAnObject) {
  store.put("p", "f.flow", "null");
  const ScopeName name("p", "f");
  const auto keys = run(service().keys(caller, name));
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().kind(), ErrorKind::invalid);
  EXPECT_EQ(keys.error().code(), "ERR_CONTEXT_VALUES");
  EXPECT_FALSE(get("f", {u"a"}));
}

TEST_F(ContextServiceTest, LeavesBadRowsOutOfAPageAndTellsTheOperatorOnce) {
  store.put("p", "a.flow", R"({"k":1})");
  store.put("p", "bad.flow", "{");
  store.put("p", "worse.flow", "[]");
  store.put("p", "z.flow", R"({"k":2})");
  const std::vector<std::string> good = {R"(a={"k":1})", R"(z={"k":2})"};
  EXPECT_EQ(listed(), good);
  EXPECT_EQ(listed(), good);
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(listed(), good);
  const std::string text = logged();
  EXPECT_NE(text.find(R"("project":"p","scope":"bad.flow")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("notReported":3)"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST_F(ContextServiceTest, ListsAsItIsAsked) {
  const std::string project = "p";
  const auto page = run(service().list(caller, project, 7, -1));
  ASSERT_TRUE(page);
  EXPECT_EQ(store.after, 7);
  EXPECT_EQ(store.most, -1);
  EXPECT_EQ(page->count, 0u);
  EXPECT_EQ(page->next_cursor, std::nullopt);
}

TEST_F(ContextServiceTest, CleansAllButWhatTheIdsKeep) {
  for (const char* const scope : {"global", "f1.flow", "f2.flow", "f2.nodes.n1"}) {
    store.put("p", scope, R"({"k":1})");
  }
  store.put("q", "f2.flow", R"({"k":1})");
  const std::string project = "p";
  EXPECT_TRUE(run(service().clean(caller, project, ActiveIds({"f1", "n1"}))));
  EXPECT_EQ(listed().size(), 3u);
  EXPECT_EQ(store.values("p", "f2.flow"), std::nullopt);
  EXPECT_TRUE(store.values("q", "f2.flow"));
}

TEST_F(ContextServiceTest, PassesOnWhatTheStoreSays) {
  store.fail(down());
  const ScopeName name("p", "f");
  const std::string project = "p";
  EXPECT_EQ(set("f", u"k", "1").error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(run(service().replace(caller, name, "{}", {})).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(get("f", {u"k"}).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(run(service().keys(caller, name)).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(run(service().remove(caller, name)).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(run(service().list(caller, project, 0, 1)).error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(run(service().clean(caller, project, {})).error().kind(), ErrorKind::unavailable);
}

TEST_F(ContextServiceTest, MeasuresItsOperationsAndCountsRefusals) {
  EXPECT_TRUE(set("f", u"k", "1"));
  store.fail(Error::over_quota(5));
  EXPECT_FALSE(set("f", u"k", "12345"));
  const std::string text = registry.text();
  EXPECT_NE(text.find("flowstore_context_operation_duration_seconds_count{driver=\"scripted\","
                      "operation=\"update\"} 2"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("flowstore_context_quota_rejections_total 1"), std::string::npos);
}

TEST_F(ContextServiceTest, StopsEvaluatingForAClientThatHasLeft) {
  store.put("p", "f.flow", R"({"a":1})");
  caller.leave();
  EXPECT_EQ(get("f", {u"a"}).error().kind(), ErrorKind::aborted);
}

}  // namespace
}  // namespace flowstore::context
