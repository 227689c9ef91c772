#include "files/s3/address.h"

#include <gtest/gtest.h>

namespace flowstore::files::s3 {
namespace {

Options options_for(std::string endpoint, std::string bucket = "files") {
  Options options;
  options.bucket = std::move(bucket);
  options.region = "eu-central-1";
  options.endpoint = std::move(endpoint);
  return options;
}

// "http://host:port/path-of-a-key", as a request would be sent.
std::string sent_to(const Options& options) {
  const auto address = address_of(options);
  if (!address) return address.error().message();
  return std::string(address->origin.is_tls ? "https" : "http") + " " + address->origin.host + " " +
         std::to_string(address->origin.port) + " " + address->host + " " +
         address->path_of("t/p/a b");
}

TEST(S3Address, IsAwsOfTheRegionWithoutAnEndpoint) {
  EXPECT_EQ(sent_to(options_for("")),
            "https files.s3.eu-central-1.amazonaws.com 443 files.s3.eu-central-1.amazonaws.com "
            "/t/p/a%20b");
  Options china = options_for("");
  china.region = "cn-north-1";
  EXPECT_EQ(address_of(china)->host, "files.s3.cn-north-1.amazonaws.com.cn");
}

TEST(S3Address, TakesEndpointsAsTheyAreWritten) {
  EXPECT_EQ(sent_to(options_for("https://s3.example.org")),
            "https files.s3.example.org 443 files.s3.example.org /t/p/a%20b");
  EXPECT_EQ(sent_to(options_for("http://s3.example.org:9000/")),
            "http files.s3.example.org 9000 files.s3.example.org:9000 /t/p/a%20b");
  EXPECT_EQ(sent_to(options_for("https://s3.example.org/base/")),
            "https files.s3.example.org 443 files.s3.example.org /base/t/p/a%20b");
}

TEST(S3Address, NamesTheBucketInThePathWhenAskedTo) {
  Options options = options_for("http://s3.example.org:9000");
  options.force_path_style = true;
  EXPECT_EQ(sent_to(options), "http s3.example.org 9000 s3.example.org:9000 /files/t/p/a%20b");
}

TEST(S3Address, NamesTheBucketInThePathWhereNoHostCanHaveItsName) {
  EXPECT_EQ(sent_to(options_for("http://127.0.0.1:9000")),
            "http 127.0.0.1 9000 127.0.0.1:9000 /files/t/p/a%20b");
  EXPECT_EQ(sent_to(options_for("http://[::1]:9000")), "http ::1 9000 [::1]:9000 /files/t/p/a%20b");
  EXPECT_EQ(sent_to(options_for("https://s3.example.org", "my.files")),
            "https s3.example.org 443 s3.example.org /my.files/t/p/a%20b");
  EXPECT_EQ(sent_to(options_for("https://s3.example.org", "My_Files")),
            "https s3.example.org 443 s3.example.org /My_Files/t/p/a%20b");
}

TEST(S3Address, SaysWhatIsNoEndpoint) {
  for (const char* endpoint :
       {"ftp://s3.example.org", "http://", "http://host:port", "http://h:0", "http://h:70000",
        "http://user@h", "http://h?x", "http://h:", "http://[::1", "http://h h"}) {
    const auto address = address_of(options_for(endpoint));
    ASSERT_FALSE(address) << endpoint;
    EXPECT_NE(address.error().message().find("is no URL such as"), std::string::npos);
  }
}

}  // namespace
}  // namespace flowstore::files::s3
