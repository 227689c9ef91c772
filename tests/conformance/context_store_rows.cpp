// Single rows: what is written is read, and nothing else changes.

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "conformance/context_store_conformance.h"
#include "support/run.h"

namespace flowstore::context {
namespace {

TEST_P(ContextStoreConformance, ReadsNothingWhereThereIsNoRow) {
  EXPECT_EQ(values("f1.flow"), std::nullopt);
  EXPECT_TRUE(run(store().probe()));
}

TEST_P(ContextStoreConformance, ReadsBackByteForByte) {
  // What JSON libraries and databases like to tidy up: the order of names, duplicates, numbers,
  // escapes, spaces.
  const std::vector<std::string> texts = {
      R"({})",
      R"({"b":1,"a":2,"2":3,"1":4})",
      R"({"a":1,"a":2})",
      R"({"n":[1.0,-0,1e400,9007199254740993,123456789012345680000,0.1e-7]})",
      R"({"u":"\u0000\ud800\udc00\uD800","s":"\/\\\"\b"})",
      R"({ "a" : [ 1 , 2 ] })",
      R"({"it's":"100% \"sure\"; -- drop","$1":"?1","_":"\\"})",
      "{\"é\":\"€ 😀 \u2028\x7F\"}",
      "{\"deep\":" + std::string(500, '[') + std::string(500, ']') + "}",
  };
  for (const std::string& text : texts) {
    ASSERT_TRUE(replace("s", text)) << text;
    EXPECT_EQ(values("s"), text);
  }
}

TEST_P(ContextStoreConformance, ReplacesAndRemovesARow) {
  ASSERT_TRUE(replace("s", R"({"a":1})"));
  ASSERT_TRUE(replace("s", R"({"b":2})"));
  EXPECT_EQ(values("s"), R"({"b":2})");
  ASSERT_TRUE(replace("s", std::nullopt));
  EXPECT_EQ(values("s"), std::nullopt);
  EXPECT_EQ(scopes(), std::vector<std::string>());
}

TEST_P(ContextStoreConformance, RemovingWhatIsNotThereIsNoError) {
  EXPECT_TRUE(replace("s", std::nullopt));
  EXPECT_TRUE(replace("s", std::nullopt, 0));
  const auto remove = [](auto) { return NewValues(); };
  EXPECT_TRUE(update("s", remove));
  EXPECT_EQ(values("s"), std::nullopt);
}

TEST_P(ContextStoreConformance, AnUpdateSeesWhatIsThere) {
  std::vector<std::string> seen;
  const auto next = [&seen](std::optional<std::string_view> present) {
    seen.emplace_back(present.value_or("nothing"));
    return NewValues(text_of_number(number_of(present) + 1));
  };
  ASSERT_TRUE(update("s", next));
  ASSERT_TRUE(update("s", next));
  EXPECT_EQ(seen, (std::vector<std::string>{"nothing", R"({"n":1})"}));
  EXPECT_EQ(values("s"), R"({"n":2})");
}

TEST_P(ContextStoreConformance, AnUpdateMayRemoveTheRow) {
  ASSERT_TRUE(replace("s", R"({"a":1})"));
  ASSERT_TRUE(update("s", [](auto) { return NewValues(); }));
  EXPECT_EQ(values("s"), std::nullopt);
}

TEST_P(ContextStoreConformance, AnUpdateThatFailsLeavesTheRow) {
  ASSERT_TRUE(replace("s", R"({"a":1})"));
  const auto refuse = [](auto) -> Result<NewValues> {
    return Error(ErrorKind::invalid, "INVALID_EXPR", "no such thing");
  };
  for (const char* scope : {"s", "missing"}) {
    const Status outcome = update(scope, refuse);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), ErrorKind::invalid);
    EXPECT_EQ(outcome.error().code(), "INVALID_EXPR");
    EXPECT_EQ(outcome.error().message(), "no such thing");
  }
  EXPECT_EQ(values("s"), R"({"a":1})");
  EXPECT_EQ(scopes(), std::vector<std::string>{"s"});
}

TEST_P(ContextStoreConformance, AMutationThatThrowsHarmsNobody) {
  ASSERT_TRUE(replace("s", R"({"a":1})"));
  const auto fail = [](auto) -> Result<NewValues> { throw std::runtime_error("a bug"); };
  const Status outcome = update("s", fail);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), ErrorKind::internal);
  EXPECT_EQ(values("s"), R"({"a":1})");
  EXPECT_TRUE(replace("s", R"({"a":2})"));
}

TEST_P(ContextStoreConformance, NamesAreTakenLiterally) {
  const std::vector<std::string> names = {
      "global",      "f1.flow",
      "f1.nodes.n1", "it's",
      "\"quoted\"",  "back\\slash",
      "100%",        "under_score",
      "F1.FLOW",     "é",
      "e\u0301",     "😀",
      "a b ",        " a b",
      "a b",         "$1",
      "?",           "f1.flow.flow",
      "NULL",        "0",
      "00",          std::string(250, 'x'),
  };
  for (const std::string& name : names) {
    ASSERT_TRUE(replace(RowKey("p", name), R"({"scope":1})")) << name;
    ASSERT_TRUE(replace(RowKey(name, "s"), R"({"project":1})")) << name;
  }
  EXPECT_EQ(scopes(), names);
  for (const std::string& name : names) {
    EXPECT_EQ(scopes(name), std::vector<std::string>{"s"}) << name;
    ASSERT_TRUE(replace(RowKey("p", name), std::nullopt));
    EXPECT_EQ(values(RowKey("p", name)), std::nullopt) << name;
  }
  EXPECT_EQ(scopes(), std::vector<std::string>());
}

TEST_P(ContextStoreConformance, ANameThatIsTooLongIsRefused) {
  const std::string longest(traits().longest_name, 'n');
  ASSERT_TRUE(replace(longest, R"({"a":1})"));
  EXPECT_EQ(values(longest), R"({"a":1})");
  if (traits().longest_name >= 500) return;  // nobody can ask for longer ones
  const Status refused = replace(longest + "n", R"({"a":1})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::invalid);
  EXPECT_EQ(scopes(), std::vector<std::string>{longest});
}

TEST_P(ContextStoreConformance, ProjectsAreApart) {
  const std::vector<std::string> projects = {"p", "pq", "p%", "P", "_", "p "};
  for (const std::string& project : projects) {
    ASSERT_TRUE(replace(RowKey(project, "s"), R"({"of":")" + project + R"("})"));
  }
  for (const std::string& project : projects) {
    const auto page = list(project, 0, 10);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->count, 1U) << project;
    EXPECT_EQ(values(RowKey(project, "s")), R"({"of":")" + project + R"("})");
  }
  ASSERT_TRUE(replace(RowKey("p%", "s"), std::nullopt));
  ASSERT_TRUE(clean("_", [](auto) { return false; }));
  for (const char* project : {"p", "pq", "P", "p "}) {
    EXPECT_TRUE(values(RowKey(project, "s"))) << project;
  }
}

TEST_P(ContextStoreConformance, KnowsItsProjectsAndWhatTheyKeep) {
  // More than one page of any database.
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> expected;
  for (int i = 0; i < 130; ++i) {
    const std::string project = "p" + std::to_string(i);
    ASSERT_TRUE(replace(RowKey(project, "s"), R"({"a":"\u00e9"})"));
    expected[project] = {1, 14};
  }
  ASSERT_TRUE(replace(RowKey("p7", "t"), "{\"a\":\"\xc3\xa9\"}"));
  expected["p7"] = {2, 23};
  ASSERT_TRUE(replace(RowKey("p8", "s"), std::nullopt));
  expected.erase("p8");
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> found;
  std::string after;
  while (true) {
    const auto page = run(store().projects(after));
    ASSERT_TRUE(page);
    if (page->empty()) break;
    for (const ProjectUse& use : *page) {
      const auto known = std::make_pair(use.rows, use.characters);
      EXPECT_TRUE(found.emplace(use.project, known).second) << use.project;
    }
    after = page->back().project;
  }
  EXPECT_EQ(found, expected);
}

TEST_P(ContextStoreConformance, KnowsWhenAProjectWasChangedLast) {
  using std::chrono::seconds;
  const auto before = std::chrono::system_clock::now();
  ASSERT_TRUE(replace("a", text_of_number(1)));
  ASSERT_TRUE(replace("b", text_of_number(1)));
  const std::string project = "p";
  const auto made = run(store().last_change(project));
  ASSERT_TRUE(made && *made);
  EXPECT_GE(**made, before - seconds(1));
  EXPECT_LE(**made, std::chrono::system_clock::now() + seconds(1));

  ASSERT_TRUE(replace("a", text_of_number(2)));
  const auto changed = run(store().last_change(project));
  ASSERT_TRUE(changed && *changed);
  EXPECT_GE(**changed, **made);

  const std::string unknown = "unknown";
  const auto none = run(store().last_change(unknown));
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST_P(ContextStoreConformance, OnlyNewRowsTakeNewIds) {
  ASSERT_TRUE(replace("a", R"({"a":1})"));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(replace("a", text_of_number(i)));
    ASSERT_TRUE(update("a", [i](auto) { return NewValues(text_of_number(-i)); }));
  }
  ASSERT_TRUE(replace("b", R"({"b":1})"));
  auto page = list("p", 0, 10);
  ASSERT_TRUE(page && page->rows.size() == 2);
  EXPECT_EQ(page->rows[1].id, page->rows[0].id + 1);

  // An id that was given once is not given again: a cursor may still hold it.
  const std::int64_t gone = page->rows[1].id;
  ASSERT_TRUE(replace("b", std::nullopt));
  ASSERT_TRUE(replace("c", R"({"c":1})"));
  page = list("p", 0, 10);
  ASSERT_TRUE(page && page->rows.size() == 2);
  EXPECT_GT(page->rows[1].id, gone);
}

TEST_P(ContextStoreConformance, CleanKeepsWhatItIsToldTo) {
  for (const char* scope : {"global", "f1.flow", "f1.nodes.n1", "f2.flow"}) {
    ASSERT_TRUE(replace(scope, R"({"a":1})"));
    ASSERT_TRUE(replace(RowKey("other", scope), R"({"a":1})"));
  }
  ASSERT_TRUE(clean("p", [](std::string_view scope) { return scope.ends_with(".flow"); }));
  EXPECT_EQ(scopes(), (std::vector<std::string>{"f1.flow", "f2.flow"}));
  EXPECT_EQ(scopes("other").size(), 4U);
  ASSERT_TRUE(clean("p", [](auto) { return false; }));
  EXPECT_EQ(scopes(), std::vector<std::string>());
  EXPECT_TRUE(clean("p", [](auto) { return false; }));
  EXPECT_TRUE(clean("nobody", [](auto) { return true; }));
}

TEST_P(ContextStoreConformance, RowsAreThereAfterwards) {
  if (!traits().survives_reopen) return;
  ASSERT_TRUE(replace("a", R"({"a":1})"));
  ASSERT_TRUE(replace("b", R"({"b":1})"));
  const auto before = list("p", 0, 10);
  reopen();
  EXPECT_EQ(values("a"), R"({"a":1})");
  const auto after = list("p", 0, 10);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->rows, after->rows);
  EXPECT_EQ(after->count, 2U);
}

TEST_P(ContextStoreConformance, NothingIsWrittenForACallerWhoHasLeft) {
  ASSERT_TRUE(replace("s", R"({"a":1})"));
  Caller gone;
  gone.leave();
  const RowKey key("p", "s");
  const std::string project = "p";
  const auto change = [](auto) { return NewValues(R"({"b":2})"); };
  const std::vector<Status> outcomes = {
      run(store().replace(gone, key, std::nullopt, std::nullopt)),
      run(store().update(gone, key, change, std::nullopt)),
      run(store().clean(gone, project, [](auto) { return false; })),
  };
  for (const Status& outcome : outcomes) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), ErrorKind::aborted);
  }
  EXPECT_EQ(values("s"), R"({"a":1})");
}

}  // namespace
}  // namespace flowstore::context
