// FileService, as far as quotas and limits go.

#include "files/test_file_service.h"

namespace flowstore::files {
namespace {

TEST_F(FileServiceTest, CountsTheDifferenceAgainstTheQuota) {
  ASSERT_TRUE(write("old", std::string(40, 'x')));
  ASSERT_TRUE(write("other", std::string(50, 'x')));
  struct Row {
    std::string_view path;
    WriteMode mode;
    std::size_t size;
    bool is_allowed;
  };
  for (const Row& row : {
           Row{"new", WriteMode::replace, 10, false},  // 90 + 10: reaching it is too much
           Row{"new", WriteMode::append, 10, false},
           Row{"old", WriteMode::append, 10, false},
           Row{"old", WriteMode::replace, 50, false},  // 90 - 40 + 50
           Row{"old", WriteMode::replace, 49, true},
           Row{"old", WriteMode::replace, 40, true},
           Row{"old", WriteMode::append, 9, true},
           Row{"old", WriteMode::replace, 40, true},
           Row{"new", WriteMode::append, 9, true},
       }) {
    const std::string result = outcome(row.path, row.size, with_quota(100, row.mode));
    EXPECT_EQ(result, row.is_allowed ? "ok" : "over_quota") << row.path << " " << row.size;
    EXPECT_EQ(used(), stored());
  }
  EXPECT_EQ(used(), 99U);
}

TEST_F(FileServiceTest, OverQuotaLeavesTheFileAsItWas) {
  ASSERT_TRUE(write("a", "hello"));
  const auto refused = write("a", std::string(100, 'x'), with_quota(100));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::over_quota);
  EXPECT_EQ(refused.error().limit(), 100U);
  EXPECT_EQ(read("a"), "hello");
  EXPECT_TRUE(has_metric("flowstore_quota_rejections_total 1"));
}

TEST_F(FileServiceTest, AProjectOverItsQuotaMayOnlyShrink) {
  ASSERT_TRUE(write("a", std::string(100, 'x')));
  EXPECT_EQ(outcome("a", 99, with_quota(50)), "ok");
  EXPECT_EQ(outcome("a", 99, with_quota(50)), "over_quota");
  EXPECT_EQ(outcome("a", 0, with_quota(50, WriteMode::append)), "over_quota");
  EXPECT_EQ(outcome("new", 0, with_quota(50)), "over_quota");
  EXPECT_EQ(outcome("a", 0, with_quota(50)), "ok");
  EXPECT_EQ(used(), 0U);
}

TEST_F(FileServiceTest, RefusesAHopelessBodyBeforeReadingIt) {
  ASSERT_TRUE(write("a", std::string(50, 'x')));
  WriteOptions small;
  small.max_size = 9;
  for (const WriteOptions& options : {with_quota(60), small}) {
    PiecesSource body({"0123456789"});
    body.announce(10);
    EXPECT_FALSE(write("b", body, options));
    EXPECT_EQ(body.pulled(), 0U);
  }
  EXPECT_EQ(stored(), 50U);
}

TEST_F(FileServiceTest, StopsAnEndlessBodyAtTheQuota) {
  ASSERT_TRUE(write("a", std::string(50, 'x')));
  PiecesSource body(std::vector<std::string>(1000, "0123456789"));
  const auto refused = write("b", body, with_quota(100));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::over_quota);
  EXPECT_EQ(body.pulled(), 5U);
  EXPECT_EQ(stored(), 50U);
  EXPECT_TRUE(has_metric("flowstore_quota_rejections_total 1"));
}

TEST_F(FileServiceTest, AnUnannouncedBodyMayUseTheWholeRoom) {
  ASSERT_TRUE(write("a", std::string(50, 'x')));
  PiecesSource fits({std::string(98, 'x'), "x"});
  EXPECT_TRUE(write("a", fits, with_quota(100)));
  PiecesSource reaches({std::string(99, 'x'), "x"});
  EXPECT_FALSE(write("a", reaches, with_quota(100)));
}

TEST_F(FileServiceTest, BoundsTheSizeOfAFile) {
  WriteOptions options;
  options.max_size = 10;
  PiecesSource exactly({"01234", "56789"});
  EXPECT_TRUE(write("a", exactly, options));
  PiecesSource more({"01234", "56789", "x", "y"});
  const auto refused = write("a", more, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::too_large);
  EXPECT_EQ(refused.error().limit(), 10U);
  EXPECT_EQ(more.pulled(), 3U);
  EXPECT_EQ(read("a"), "0123456789");
}

TEST_F(FileServiceTest, BoundsTheSizeOfAFileThatGrows) {
  WriteOptions options = appending();
  options.max_size = 10;
  ASSERT_TRUE(write("a", "12345678", options));
  const auto refused = write("a", "abcdefgh", options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::too_large);
  EXPECT_EQ(refused.error().limit(), 10U);
  EXPECT_EQ(read("a"), "12345678");
  EXPECT_EQ(used(), 8U);
  EXPECT_TRUE(write("a", "90", options));
  EXPECT_EQ(outcome("a", 1, options), "FST_ERR_CTP_BODY_TOO_LARGE");
  EXPECT_EQ(outcome("a", 0, options), "ok");
}

TEST_F(FileServiceTest, ABodyThatBreaksOffKeepsNoRoom) {
  PiecesSource body({std::string(90, 'x')});
  body.break_off(client_went_away());
  EXPECT_EQ(write("a", body, with_quota(100)).error().kind(), ErrorKind::aborted);
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(outcome("a", 99, with_quota(100)), "ok");
}

}  // namespace
}  // namespace flowstore::files
