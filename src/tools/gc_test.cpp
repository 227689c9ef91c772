#include "tools/gc.h"

#include <sstream>

#include <gtest/gtest.h>

namespace flowstore::tools {
namespace {

Result<std::set<std::string>> read(const std::string& text) {
  std::istringstream list(text);
  return read_live_list(list, "live.txt");
}

std::string refusal_of(const std::string& text) {
  const auto ids = read(text);
  return ids ? "" : ids.error().message();
}

TEST(LiveList, HasOneIdALine) {
  const auto ids = read("a-1\r\n\n  B_2 \n6f0c1b1e-8c3b-4a35-a9d1-1a5f0a0f2f11\n");
  ASSERT_TRUE(ids);
  EXPECT_EQ(*ids, (std::set<std::string>{"a-1", "B_2", "6f0c1b1e-8c3b-4a35-a9d1-1a5f0a0f2f11"}));
}

TEST(LiveList, ThatWasCutOffIsNone) {
  EXPECT_EQ(refusal_of("a\nb"),
            "live.txt:2: the last line does not end; is the list cut off?; nothing was removed");
}

TEST(LiveList, ThatIsEmptyIsNone) {
  EXPECT_EQ(refusal_of(""), "live.txt: holds no id; nothing was removed");
  EXPECT_EQ(refusal_of("\n \n"), "live.txt: holds no id; nothing was removed");
}

TEST(LiveList, ThatIsSomethingElseIsNone) {
  for (const char* text :
       {"<html>\n", "id | name\n", "a\n{\"error\":\"unauthorized\"}\n", "-----\n", "a,b\n",
        "(2 rows)\n", "psql: error: connection refused\n", "a/b\n"}) {
    EXPECT_NE(refusal_of(text).find("is no id of a project"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace flowstore::tools
