#include "files/s3/object_source.h"

#include <string>

#include <gtest/gtest.h>

#include "support/run.h"
#include "support/scripted_store.h"

namespace flowstore::files::s3 {
namespace {

constexpr const char* kBody = "hello world";

std::string quoted_md5() {
  Digest md5(Digest::Algorithm::md5);
  md5.add(kBody);
  return "\"" + md5.finish_in_hex() + "\"";
}

std::string headers(const std::string& more = "") {
  return "etag: " + quoted_md5() + "\r\n" + more;
}

Found found_object(std::uint64_t size = 11) {
  Found found;
  found.stat.size = size;
  found.stat.etag = quoted_md5();
  found.may_be_md5 = true;
  return found;
}

class S3ObjectSource : public testing::Test {
 protected:
  // The bytes, or the error's code behind those that came before it.
  std::string pull(std::optional<Range> part = std::nullopt) {
    auto all = [&]() -> Task<std::string> {
      Objects objects(made_.client);
      ObjectSource source(objects, "t/p/a", found_object(), true);
      if (part) source.narrow(part->offset, part->length);
      std::string bytes;
      while (true) {
        const auto piece = co_await source.next();
        if (!piece) co_return bytes + "|" + piece.error().code();
        if (piece->empty()) co_return bytes;
        bytes.append(*piece);
      }
    };
    return run(all());
  }

  SystemClock clock_;
  std::unique_ptr<aws::CredentialsProvider> credentials_ = aws::fixed_credentials({});
  ScriptedStore store_;
  StoreClient made_{store_, clock_, *credentials_};
};

TEST_F(S3ObjectSource, PullsTheWholeObject) {
  store_.answer(200, headers(), kBody);
  EXPECT_EQ(pull(), kBody);
}

TEST_F(S3ObjectSource, AsksForThePartThatIsWanted) {
  store_.answer(206, headers(), "world");
  EXPECT_EQ(pull(Range(6, 5)), "world");
  EXPECT_NE(store_.heads().at(0).find("range: bytes=6-10\r\n"), std::string::npos);
  EXPECT_NE(store_.heads().at(0).find("if-match: " + quoted_md5()), std::string::npos);
}

TEST_F(S3ObjectSource, GoesOnWhereItBrokeOff) {
  store_.answer("HTTP/1.1 200 OK\r\nx-breaks-off: 1\r\n" + headers() +
                "content-length: 11\r\n\r\nhello ");
  store_.answer(206, headers(), "world");
  EXPECT_EQ(pull(), kBody);
  EXPECT_NE(store_.heads().at(1).find("range: bytes=6-10\r\n"), std::string::npos);
}

TEST_F(S3ObjectSource, DoesNotGoOnWithAnotherVersion) {
  const std::string broken =
      "HTTP/1.1 200 OK\r\nx-breaks-off: 1\r\n" + headers() + "content-length: 11\r\n\r\nhello ";
  store_.answer(broken);
  store_.refuse(412, "PreconditionFailed");
  EXPECT_EQ(pull(), "hello |storage_changed");
  store_.answer(broken);
  store_.answer(206, "etag: \"other\"\r\n", "world");  // a store without conditions
  EXPECT_EQ(pull(), "hello |storage_changed");
}

TEST_F(S3ObjectSource, HoldsBackTheEndOfWhatIsDamaged) {
  store_.answer(200, headers(), "hellO world");
  EXPECT_EQ(pull(), "|storage_damaged");
  // The store's own checksum goes before the entity tag.
  store_.answer(200, headers("x-amz-checksum-crc32: DUoRhQ==\r\n"), kBody);
  EXPECT_EQ(pull(), kBody);
  store_.answer(200, headers("x-amz-checksum-crc32: AAAAAA==\r\n"), kBody);
  EXPECT_EQ(pull(), "|storage_damaged");
}

TEST_F(S3ObjectSource, GivesUpWhenNothingComesAnyMore) {
  for (int i = 0; i < 4; ++i) {
    store_.answer("HTTP/1.1 200 OK\r\nx-breaks-off: 1\r\n" + headers() +
                  "content-length: 11\r\n\r\n");
  }
  EXPECT_EQ(pull(), "|storage_unavailable");
}

}  // namespace
}  // namespace flowstore::files::s3
