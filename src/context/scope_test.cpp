#include "context/scope.h"

#include <gtest/gtest.h>

namespace flowstore::context {
namespace {

struct Form {
  const char* name;
  const char* other;
};

TEST(Scope, RequestsNameRowsAsTheOldServerHasIt) {
  const Form forms[] = {
      {"global", "global"},
      {"f1", "f1.flow"},
      {"f1.flow", "f1.flow"},
      {"n1:f1", "f1.nodes.n1"},
      {"a:b:c", "b.nodes.a"},
      {"f1.nodes.n1", "n1:f1"},
      {"f1.nodes.n1.nodes.x", "n1:f1"},
      {"x:y.flow", "x:y.flow"},
      {"f.nodes.n.flow", "n.flow:f"},
      {"Global", "Global.flow"},
      {"global.flow", "global.flow"},
      {"global:f", "f.nodes.global"},
      {"", ".flow"},
      {".flow", ".flow"},
      {":", ".nodes."},
      {"n:", ".nodes.n"},
      {":f", "f.nodes."},
      {".nodes.", ":"},
      {"f1.nodes", "f1.nodes.flow"},
      {"a/b", "a/b.flow"},
      {"cache", "cache.flow"},
      {"h\xc3\xa9:\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80.nodes.h\xc3\xa9"},
  };
  for (const auto& [requested, stored] : forms) EXPECT_EQ(stored_scope(requested), stored);
}

TEST(Scope, RowsAreShownAsTheOldServerHasIt) {
  const Form forms[] = {
      {"global", "global"},
      {"f1.flow", "f1"},
      {"f1.flow.flow", "f1.flow"},
      {"f1.flow.x.flow", "f1.x.flow"},
      {"f1.nodes.n1", "n1:f1"},
      {"f1.nodes.n1.nodes.n2", "n1:f1"},
      {"n1:f1", "n1:f1"},
      {"a:b:c", "a:b:c"},
      {"x:y.flow", "x:y"},
      {"f.nodes.n.flow", "n.flow:f"},
      {".flow", ""},
      {"", ""},
      {".nodes.", ":"},
      {"bare", "bare"},
      {"f1.flowx", "f1.flowx"},
  };
  for (const auto& [stored, shown] : forms) EXPECT_EQ(shown_scope(stored), shown);
}

TEST(Scope, ComesBackInTheFormThatTheClientUsed) {
  for (const char* const scope : {"global", "f1", "n1:f1", "a/b", "h\xc3\xa9"}) {
    EXPECT_EQ(shown_scope(stored_scope(scope)), scope);
  }
}

TEST(ActiveIds, KeepWhatBelongsToThem) {
  const ActiveIds ids({"f1", "n1", "a\\nb", "caf\xc3\xa9"});
  for (const char* const kept : {"global", "f1.flow", "f1.flow.flow", "f1.flowers", "f9.nodes.n1",
                                 "x.nodes.y.nodes.n1", "a\nb.flow", "f9.nodes.caf\xc3\xa9"}) {
    EXPECT_TRUE(ids.keeps(kept)) << kept;
  }
  // A flow's id does not keep the nodes of that flow, nor flows that only start alike.
  for (const char* const lost : {"f2.flow", "f1.nodes.n2", "f11.flow", "xf1.flow", "f9.nodes.n11",
                                 "f9.nodes.n1.flow", "n1:f1", "f1", "Global", ""}) {
    EXPECT_FALSE(ids.keeps(lost)) << lost;
  }
}

TEST(ActiveIds, WithoutAnyOnlyTheGlobalScopeIsKept) {
  EXPECT_TRUE(ActiveIds().keeps("global"));
  EXPECT_FALSE(ActiveIds().keeps("f1.flow"));
  EXPECT_FALSE(ActiveIds().keeps(".flow"));
  EXPECT_TRUE(ActiveIds({std::string()}).keeps(".flow"));
  EXPECT_TRUE(ActiveIds({std::string()}).keeps("f.nodes."));
}

}  // namespace
}  // namespace flowstore::context
