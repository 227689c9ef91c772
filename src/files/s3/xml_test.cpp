#include "files/s3/xml.h"

#include <gtest/gtest.h>

namespace flowstore::files::s3 {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

constexpr const char* kPage =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
    "<Prefix>t%2Fp%2F</Prefix><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
    "<NextContinuationToken>next&amp;page</NextContinuationToken>"
    "<Contents><Key>t%2Fp%2Fa+b%2Bc%0A</Key><LastModified>1970-01-02T00:00:01.500Z</LastModified>"
    "<ETag>&quot;e&quot;</ETag><Size>5368709120</Size></Contents>"
    "<CommonPrefixes><Prefix>t%2Fp%2Fdir%2F</Prefix></CommonPrefixes></ListBucketResult>";

TEST(S3Xml, ReadsAPageOfKeys) {
  const auto page = read_page(kPage);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->objects.size(), 1U);
  EXPECT_EQ(page->objects[0].key, "t/p/a b+c\n");
  EXPECT_EQ(page->objects[0].size, 5'368'709'120U);
  EXPECT_EQ(page->objects[0].modified, system_clock::time_point(seconds(86'401)));
  ASSERT_EQ(page->prefixes.size(), 1U);
  EXPECT_EQ(page->prefixes[0], "t/p/dir/");
  EXPECT_TRUE(page->is_truncated);
  EXPECT_EQ(page->next_token, "next&page");
}

TEST(S3Xml, TakesKeysAsTheyAreFromStoresThatDoNotEncodeThem) {
  const auto page = read_page(
      "<ListBucketResult><Contents><Key>a%2Fb+c</Key><Size>1</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects.at(0).key, "a%2Fb+c");
  EXPECT_FALSE(page->is_truncated);
}

TEST(S3Xml, ADateBeyondTheClockIsAsFarAsTheClockReaches) {
  const auto page = read_page(
      "<ListBucketResult><Contents><Key>a</Key><LastModified>9999-12-31T23:59:59Z</LastModified>"
      "</Contents></ListBucketResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects.at(0).modified,
            std::chrono::floor<seconds>(system_clock::time_point::max()));
}

TEST(S3Xml, AnythingElseIsNoPage) {
  for (const char* text : {"", "hello", "<html></html>", "<ListBucketResult>", "<Error/>"}) {
    const auto page = read_page(text);
    ASSERT_FALSE(page) << text;
    EXPECT_EQ(page.error().kind(), ErrorKind::unavailable);
  }
}

TEST(S3Xml, ReadsErrors) {
  Answer answer;
  read_error("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", answer);
  EXPECT_EQ(answer.code, "AccessDenied");
  EXPECT_EQ(words_of(answer), "AccessDenied: Access Denied");
  Answer other;
  other.status = 418;
  read_error("<html>teapot</html>", other);
  EXPECT_EQ(words_of(other), "HTTP 418");
}

TEST(S3Xml, AnErrorMayBeginAsASuccess) {
  Answer answer;
  answer.status = 200;
  const auto good = read_etag(
      "<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag>"
      "</CompleteMultipartUploadResult>",
      answer);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "\"e-2\"");
  EXPECT_EQ(answer.status, 200);
  ASSERT_TRUE(read_etag("<Error><Code>InternalError</Code></Error>", answer));
  EXPECT_EQ(answer.status, 500);
  ASSERT_TRUE(read_etag("<Error><Code>PreconditionFailed</Code></Error>", answer));
  EXPECT_EQ(answer.status, 412);
}

TEST(S3Xml, WritesWhatStoresExpect) {
  EXPECT_EQ(completion_xml({Part(1, "\"a\""), Part(5001, "\"b\"")}),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>"
            "<Part><PartNumber>5001</PartNumber><ETag>\"b\"</ETag></Part>"
            "</CompleteMultipartUpload>");
  Listed object;
  object.key = "a<&b";
  EXPECT_EQ(removal_xml({object}),
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Object><Key>a&lt;&amp;b</Key></Object><Quiet>true</Quiet></Delete>");
}

TEST(S3Xml, CountsWhatCouldNotBeRemoved) {
  const auto report = read_removal(
      "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error>"
      "<Error><Key>b</Key><Code>InternalError</Code></Error></DeleteResult>");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failed, 2U);
  EXPECT_EQ(report->code, "AccessDenied");
}

}  // namespace
}  // namespace flowstore::files::s3
