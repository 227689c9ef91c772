#include "tools/archive_names.h"

#include <gtest/gtest.h>

namespace flowstore::tools {
namespace {

files::FileKey key_of(const std::string& path) {
  auto project = files::ProjectKey::parse("t", "p");
  return *files::FileKey::parse(*std::move(project), path);
}

TEST(ArchiveNames, OfFilesLeadBackToThem) {
  for (const char* path : {"a", "dir/a b", "x\\y%2e", "\xff\xfe", "new\nline", "..a"}) {
    const files::FileKey key = key_of(path);
    const auto place = place_of(name_of(key));
    ASSERT_TRUE(place) << path;
    EXPECT_EQ(std::get<files::FileKey>(*place).path(), key.path());
  }
}

TEST(ArchiveNames, OfScopesLeadBackToThem) {
  for (const char* scope : {"global", "f1.flow", "f1.nodes.n1", "a/b", "..", ".", "", "50%", "a\nb",
                            "\xc3\xa9", "../../etc/passwd"}) {
    const context::RowKey key("pro/ject", scope);
    const auto place = place_of(name_of(key));
    ASSERT_TRUE(place) << scope;
    EXPECT_EQ(std::get<context::RowKey>(*place).project, key.project);
    EXPECT_EQ(std::get<context::RowKey>(*place).scope, key.scope);
  }
  EXPECT_EQ(name_of(context::RowKey("p", "../x")), "context/p/..%2Fx.json");
  EXPECT_EQ(name_of(context::RowKey("..", "..")), "context/%2E%2E/%2E%2E.json");
}

TEST(ArchiveNames, NothingElseIsAPlace) {
  for (const char* name : {"",
                           "/etc/passwd",
                           "files/../../etc/passwd",
                           "files/t/p/../../../x",
                           "files/t/p",
                           "files/t",
                           "files/t/p/",
                           "files/t/p/./a",
                           "files/t/p//a",
                           "files/../p/a",
                           "files/t/../a",
                           "files//p/a",
                           "files/t/p/a/",
                           "files/t/p/a/..",
                           "./files/t/p/a",
                           "/files/t/p/a",
                           "other/t/p/a",
                           "context/p",
                           "context/p.json",
                           "context/p/s",
                           "context/p/s/t.json",
                           "context//s.json",
                           "context/../s.json",
                           "context/p/%2f.json",
                           "context/p/%.json",
                           "context/p/%41.json"}) {
    EXPECT_FALSE(place_of(name)) << name;
  }
}

TEST(ArchiveNames, SumsAreThoseOfSha256sum) {
  const std::string digest(64, 'a');
  EXPECT_EQ(sum_line(digest, "a b"), digest + "  a b\n");
  EXPECT_EQ(sum_line(digest, "a\nb\\"), "\\" + digest + "  a\\nb\\\\\n");
  for (const char* name : {"a b", "a\nb", "\\", "  x", "a\rb"}) {
    std::string line = sum_line(digest, name);
    line.pop_back();
    const auto sum = parse_sum_line(line);
    ASSERT_TRUE(sum) << name;
    EXPECT_EQ(sum->digest, digest);
    EXPECT_EQ(sum->name, name);
  }
  for (const std::string& line :
       {std::string(), digest, digest + "  ", digest + " *x", std::string(64, 'G') + "  x",
        "\\" + digest + "  a\\", "\\" + digest + "  a\\t"}) {
    EXPECT_FALSE(parse_sum_line(line)) << line;
  }
}

}  // namespace
}  // namespace flowstore::tools
