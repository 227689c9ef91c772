// Many files: listings, recursive deletes, sums over projects.

#include <string>
#include <vector>

#include "conformance/file_store_conformance.h"
#include "support/run.h"

namespace flowstore::files {
namespace {

using Names = std::vector<std::string>;

ListOptions page_of(std::size_t limit) {
  ListOptions options;
  options.limit = limit;
  return options;
}

ListOptions recursive(std::size_t limit = 1000) {
  ListOptions options = page_of(limit);
  options.is_recursive = true;
  return options;
}

TEST_P(FileStoreConformance, ListsAFolderInByteOrder) {
  for (const char* path : {"b", "a/x", "a/y/z", "a.b", "a-", "B", "\xC3\xA4"}) {
    ASSERT_TRUE(replace(path, "1"));
  }
  EXPECT_EQ(names(""), (Names{"B", "a/", "a-", "a.b", "b", "\xC3\xA4"}));
  EXPECT_EQ(names("a"), (Names{"x", "y/"}));
  EXPECT_EQ(names("a/"), names("a"));
}

TEST_P(FileStoreConformance, ListsAllFilesBelowAFolder) {
  for (const char* path : {"b", "a/x", "a/y/z", "a.b", "a/y/a", "a-/k"}) {
    ASSERT_TRUE(replace(path, "1"));
  }
  EXPECT_EQ(names("", recursive()), (Names{"a-/k", "a.b", "a/x", "a/y/a", "a/y/z", "b"}));
  EXPECT_EQ(names("a", recursive()), (Names{"x", "y/a", "y/z"}));
}

TEST_P(FileStoreConformance, ListsInPages) {
  for (const char* path : {"b", "a/x", "a/y/z", "a.b", "a-", "c/d/e"}) {
    ASSERT_TRUE(replace(path, "1"));
  }
  const Names all = names("");
  const Names files = names("", recursive());
  ASSERT_EQ(all.size(), 5U);
  ASSERT_EQ(files.size(), 6U);
  for (std::size_t limit = 1; limit <= 7; ++limit) {
    EXPECT_EQ(names("", page_of(limit)), all) << limit;
    EXPECT_EQ(names("", recursive(limit)), files) << limit;
  }
}

TEST_P(FileStoreConformance, TheLastPageHasNoCursor) {
  const FileKey folder = key_of("");
  ASSERT_TRUE(replace("a", "1"));
  ASSERT_TRUE(replace("b", "1"));
  const ListOptions exactly = page_of(2);
  const auto page = run(store().list(folder, exactly));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries.size(), 2U);
  EXPECT_FALSE(page->next_cursor);
}

TEST_P(FileStoreConformance, PagesGoOnBehindAnEntryThatIsGone) {
  for (const char* path : {"a", "b", "c"}) ASSERT_TRUE(replace(path, "1"));
  const FileKey folder = key_of("");
  ListOptions options = page_of(2);
  const auto page = run(store().list(folder, options));
  ASSERT_TRUE(page && page->next_cursor);
  ASSERT_TRUE(remove("b"));
  options.cursor = *page->next_cursor;
  EXPECT_EQ(names("", options), (Names{"c"}));
}

TEST_P(FileStoreConformance, EntriesSayWhatTheyAre) {
  ASSERT_TRUE(replace("a", "12345"));
  ASSERT_TRUE(replace("dir/b", "123"));
  const FileKey folder = key_of("");
  const ListOptions options;
  const auto page = run(store().list(folder, options));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 2U);
  EXPECT_FALSE(page->entries[0].is_folder);
  EXPECT_EQ(page->entries[0].size, 5U);
  EXPECT_EQ(page->entries[0].modified, stat("a")->modified);
  EXPECT_TRUE(page->entries[1].is_folder);
  EXPECT_EQ(page->entries[1].size, 0U);
}

TEST_P(FileStoreConformance, AnUnknownProjectListsNothing) {
  const FileKey folder = key_of("");
  const ListOptions options;
  const auto page = run(store().list(folder, options));
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->entries.empty());
  EXPECT_FALSE(page->next_cursor);
}

TEST_P(FileStoreConformance, AMissingFolderIsNotFound) {
  ASSERT_TRUE(replace("dir/a", "1"));
  const FileKey folder = key_of("dir/no");
  for (const ListOptions& options : {page_of(1), recursive()}) {
    const auto page = run(store().list(folder, options));
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().kind(), ErrorKind::not_found);
    EXPECT_EQ(page.error().message(), "ENOENT: no such file or directory, scandir 'dir/no'");
  }
  const auto removed = remove_tree("dir/no");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind(), ErrorKind::not_found);
}

TEST_P(FileStoreConformance, AFileIsNoFolder) {
  ASSERT_TRUE(replace("a", "1"));
  const FileKey file = key_of("a");
  for (const ListOptions& options : {page_of(1), recursive()}) {
    const auto page = run(store().list(file, options));
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code(), "ENOTDIR");
  }
  const auto removed = remove_tree("a");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code(), "ENOTDIR");
  EXPECT_EQ(*read("a"), "1");
}

TEST_P(FileStoreConformance, RemovesAFolderWithEverythingInIt) {
  for (const char* path : {"dir/a", "dir/sub/b", "dir/sub/deep/c", "dir.txt", "dir2/d"}) {
    ASSERT_TRUE(replace(path, "12"));
  }
  const auto removed = remove_tree("dir");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->files, 3U);
  EXPECT_EQ(removed->bytes, 6U);
  EXPECT_EQ(names(""), (Names{"dir.txt", "dir2/"}));
  EXPECT_EQ(usage(), 4U);
  const auto again = remove_tree("dir");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::not_found);
}

TEST_P(FileStoreConformance, EmptiesAProject) {
  ASSERT_TRUE(replace("a", "12"));
  ASSERT_TRUE(replace("dir/b", "345"));
  ASSERT_TRUE(replace(key_of("a", "p1"), "other"));
  const auto removed = remove_tree("");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->files, 2U);
  EXPECT_EQ(removed->bytes, 5U);
  expect_nothing_stored();
  EXPECT_EQ(usage("p1"), 5U);
  const auto again = remove_tree("");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->files, 0U);
}

TEST_P(FileStoreConformance, AFolderMayBecomeAFile) {
  ASSERT_TRUE(replace("a/b", "1"));
  ASSERT_TRUE(remove_tree("a"));
  ASSERT_TRUE(replace("a", "file"));
  EXPECT_EQ(*read("a"), "file");
}

TEST_P(FileStoreConformance, AFolderStaysWhenItsLastFileIsGone) {
  ASSERT_TRUE(replace("a/b/c", "1"));
  ASSERT_TRUE(remove("a/b/c"));
  EXPECT_EQ(read("a/b").error().message(), "EISDIR: illegal operation on a directory, read");
  EXPECT_EQ(stat("a").error().kind(), ErrorKind::is_directory);
  EXPECT_EQ(remove("a").error().kind(), ErrorKind::is_directory);
  EXPECT_EQ(replace("a/b", "1").error().kind(), ErrorKind::is_directory);
  EXPECT_EQ(append("a", "1").error().kind(), ErrorKind::is_directory);
  EXPECT_EQ(names(""), (Names{"a/"}));
  EXPECT_EQ(names("a"), (Names{"b/"}));
  EXPECT_EQ(names("", recursive()), Names());
  const FileKey empty = key_of("a/b");
  const ListOptions options;
  const auto page = run(store().list(empty, options));
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->entries.empty());
  const auto removed = remove_tree("a/b");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->files, 0U);
  EXPECT_EQ(names("a"), Names());
  EXPECT_TRUE(replace("a/b", "a file"));
}

TEST_P(FileStoreConformance, UsageFollowsEveryChange) {
  EXPECT_EQ(usage(), 0U);
  ASSERT_TRUE(replace("a", "12345"));
  EXPECT_EQ(usage(), 5U);
  ASSERT_TRUE(replace("a", "123"));
  EXPECT_EQ(usage(), 3U);
  ASSERT_TRUE(append("a", "4567"));
  EXPECT_EQ(usage(), 7U);
  ASSERT_TRUE(replace("dir/sub/b", "12"));
  EXPECT_EQ(usage(), 9U);
  ASSERT_TRUE(remove("a"));
  EXPECT_EQ(usage(), 2U);
}

TEST_P(FileStoreConformance, UsageStopsAtTheProjectsBoundary) {
  ASSERT_TRUE(replace("a", "12345"));
  for (const char* other : {"p1", "p-", "p.", "p0", "pp", "q"}) {
    ASSERT_TRUE(replace(key_of("a", other), "1"));
  }
  ASSERT_TRUE(replace(key_of("a", "p", "t1"), "1"));
  EXPECT_EQ(usage(), 5U);
  EXPECT_EQ(usage("p1"), 1U);
  EXPECT_EQ(usage("p", "t1"), 1U);
  EXPECT_EQ(usage("unknown"), 0U);
}

TEST_P(FileStoreConformance, KnowsTheProjectsOfATeam) {
  for (const char* project : {"p1", "p", "p-1", "Q"}) {
    ASSERT_TRUE(replace(key_of("dir/a", project), "1"));
  }
  ASSERT_TRUE(replace(key_of("a", "x", "t1"), "1"));
  ASSERT_TRUE(replace(key_of("a", "y", "t-1"), "1"));
  const auto projects = run(store().projects("t"));
  ASSERT_TRUE(projects);
  Names ids;
  for (const ProjectKey& project : *projects) ids.emplace_back(project.project());
  EXPECT_EQ(ids, (Names{"Q", "p", "p-1", "p1"}));
  const auto none = run(store().projects("unknown"));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST_P(FileStoreConformance, KnowsItsTeams) {
  // A driver's folder of tests may hold a log as well, which nothing tells from a team.
  const Names before = *run(store().teams());
  for (const char* team : {"t1", "t", "t-1", "Q"}) {
    ASSERT_TRUE(replace(key_of("dir/a", "p", team), "1"));
    ASSERT_TRUE(replace(key_of("a", "q", team), "1"));
  }
  auto teams = run(store().teams());
  ASSERT_TRUE(teams);
  for (const std::string& other : before) std::erase(*teams, other);
  EXPECT_EQ(*teams, (Names{"Q", "t", "t-1", "t1"}));
}

TEST_P(FileStoreConformance, RemembersAProjectThatIsEmptyAgain) {
  ASSERT_TRUE(replace("a", "1"));
  ASSERT_TRUE(replace(key_of("a", "q"), "1"));
  ASSERT_TRUE(remove("a"));
  const FileKey q = key_of("", "q");
  ASSERT_TRUE(run(store().remove_tree(q)));
  const auto projects = run(store().projects("t"));
  ASSERT_TRUE(projects);
  EXPECT_EQ(projects->size(), 2U);
}

}  // namespace
}  // namespace flowstore::files
