#include "files/test_file_service.h"

namespace flowstore::files {
namespace {

TEST_F(FileServiceTest, WritesReadsAndRemoves) {
  ASSERT_TRUE(write("dir/a", "hello"));
  ASSERT_TRUE(write("dir/a", " world", appending()));
  EXPECT_EQ(read("dir/a"), "hello world");
  EXPECT_EQ(run(service_.stat(key_of("dir/a")))->size, 11U);
  EXPECT_TRUE(remove("dir/a"));
  EXPECT_EQ(read("dir/a"), "ENOENT");
  EXPECT_EQ(remove("dir/a").error().kind(), ErrorKind::not_found);
}

TEST_F(FileServiceTest, AFolderIsNotWritten) {
  const auto written = write("dir/", "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message(), "EISDIR: illegal operation on a directory, open 'dir/'");
  EXPECT_EQ(outcome("", 1, WriteOptions()), "EISDIR");
}

TEST_F(FileServiceTest, SaysTheSameOfAFolderWithAQuotaAndConditions) {
  ASSERT_TRUE(write("dir/a", "x"));
  WriteOptions options = with_quota(100);
  options.conditions.if_none_match = only_if_new().conditions.if_none_match;
  const auto written = write("dir", "x", options);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message(), "EISDIR: illegal operation on a directory, open 'dir'");
}

TEST_F(FileServiceTest, AFileIsNoFolder) {
  ASSERT_TRUE(write("a", "hello"));
  EXPECT_EQ(read("a/"), "ENOTDIR");
  EXPECT_EQ(run(service_.stat(key_of("a/"))).error().code(), "ENOTDIR");
  EXPECT_EQ(remove("a/").error().code(), "ENOTDIR");
  EXPECT_EQ(read("a"), "hello");
}

TEST_F(FileServiceTest, WritesOnlyUnderTheConditions) {
  const auto made = write("a", "1", only_if_new());
  ASSERT_TRUE(made);
  EXPECT_EQ(write("a", "2", only_if_new()).error().kind(), ErrorKind::precondition_failed);
  EXPECT_EQ(write("a", "2", only_if("\"x\"")).error().kind(), ErrorKind::precondition_failed);
  EXPECT_EQ(write("b", "2", only_if("\"x\"")).error().kind(), ErrorKind::precondition_failed);
  EXPECT_EQ(read("a"), "1");
  EXPECT_TRUE(write("a", "2", only_if(made->stat.etag)));
  EXPECT_FALSE(write("a", "3", only_if(made->stat.etag)));
  EXPECT_EQ(read("a"), "2");
}

TEST_F(FileServiceTest, RemovesOnlyUnderTheConditions) {
  const auto made = write("a", "1");
  EXPECT_EQ(remove("a", only_if("\"x\"").conditions).error().kind(),
            ErrorKind::precondition_failed);
  EXPECT_EQ(read("a"), "1");
  EXPECT_TRUE(remove("a", only_if(made->stat.etag).conditions));
  EXPECT_EQ(read("a"), "ENOENT");
}

TEST_F(FileServiceTest, KnowsWhatAProjectUses) {
  EXPECT_EQ(used(), 0U);
  ASSERT_TRUE(write("a", "12345"));
  ASSERT_TRUE(write("a", "67", appending()));
  ASSERT_TRUE(write("dir/b", "123"));
  ASSERT_TRUE(write("dir/c", "123"));
  EXPECT_EQ(used(), 13U);
  ASSERT_TRUE(write("a", "1"));
  EXPECT_EQ(used(), 7U);
  ASSERT_TRUE(remove("dir/b"));
  EXPECT_EQ(used(), 4U);
  ASSERT_TRUE(run(service_.remove_tree(key_of("dir"))));
  EXPECT_EQ(used(), 1U);
  EXPECT_FALSE(remove("dir/b"));
  EXPECT_EQ(used(), 1U);
  EXPECT_EQ(store_.walks(), 1);
}

TEST_F(FileServiceTest, KnowsWhatATeamUses) {
  for (const char* project : {"p", "q"}) {
    StringSource body("12345");
    const FileKey key = key_of("a", project);
    ASSERT_TRUE(run(service_.write(key, body, WriteOptions())));
  }
  EXPECT_EQ(*run(service_.used_by_team("t")), 10U);
  EXPECT_EQ(*run(service_.used_by_team("unknown")), 0U);
  EXPECT_TRUE(*run(service_.has_files(project_of("q"))));
  EXPECT_FALSE(*run(service_.has_files(project_of("unknown"))));
}

TEST_F(FileServiceTest, ListsFolders) {
  ASSERT_TRUE(write("dir/a", "1"));
  const FileKey folder = key_of("dir");
  const ListOptions options;
  const auto listing = run(service_.list(folder, options));
  ASSERT_TRUE(listing);
  ASSERT_EQ(listing->entries.size(), 1U);
  EXPECT_EQ(listing->entries[0].name, "a");
}

TEST_F(FileServiceTest, MeasuresTheStore) {
  ASSERT_TRUE(write("a", "1"));
  EXPECT_EQ(read("a"), "1");
  ASSERT_TRUE(remove("a"));
  for (const std::string operation : {"receive", "commit", "open", "remove"}) {
    EXPECT_TRUE(has_metric(
        "flowstore_storage_operation_duration_seconds_count{driver=\"memory\",operation=\"" +
        operation + "\"} 1"))
        << operation;
  }
}

}  // namespace
}  // namespace flowstore::files
