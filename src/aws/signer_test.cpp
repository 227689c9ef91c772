#include "aws/signer.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace flowstore::aws {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

// The example of "Signature Calculations for the Authorization Header" in the documentation of S3.
const auto kExampleTime = sys_days(std::chrono::year(2013) / 5 / 24);

Credentials example_credentials() {
  Credentials credentials;
  credentials.access_key_id = "AKIAIOSFODNN7EXAMPLE";
  credentials.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  return credentials;
}

UnsignedRequest example_get() {
  UnsignedRequest request;
  request.method = "GET";
  request.path = "/test.txt";
  request.headers = {{"host", "examplebucket.s3.amazonaws.com"}, {"range", "bytes=0-9"}};
  request.payload_hash = hex(sha256(""));
  return request;
}

std::string value_of(const Headers& headers, std::string_view name) {
  for (const auto& [header, value] : headers) {
    if (header == name) return value;
  }
  return "(none)";
}

std::string signature_of(const UnsignedRequest& request) {
  const Signer signer("us-east-1");
  const auto headers = signer.sign(request, example_credentials(), kExampleTime);
  const std::string authorization = value_of(headers, "authorization");
  return authorization.substr(authorization.find("Signature=") + 10);
}

TEST(Signer, SignsTheDocumentedGet) {
  EXPECT_EQ(signature_of(example_get()),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Signer, SignsTheDocumentedPut) {
  UnsignedRequest request;
  request.method = "PUT";
  request.path = "/test%24file.text";
  request.headers = {{"host", "examplebucket.s3.amazonaws.com"},
                     {"date", "Fri, 24 May 2013 00:00:00 GMT"},
                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  request.payload_hash = hex(sha256("Welcome to Amazon S3."));
  EXPECT_EQ(signature_of(request),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(Signer, SignsTheDocumentedQueries) {
  UnsignedRequest lifecycle;
  lifecycle.method = "GET";
  lifecycle.path = "/";
  lifecycle.query = {{"lifecycle", ""}};
  lifecycle.headers = {{"host", "examplebucket.s3.amazonaws.com"}};
  lifecycle.payload_hash = hex(sha256(""));
  EXPECT_EQ(signature_of(lifecycle),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  UnsignedRequest list = lifecycle;
  list.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_EQ(signature_of(list), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Signer, SaysWhoSignedWhatAndWhen) {
  const Signer signer("us-east-1");
  const auto headers = signer.sign(example_get(), example_credentials(), kExampleTime + 90s);
  EXPECT_EQ(value_of(headers, "x-amz-date"), "20130524T000130Z");
  EXPECT_EQ(value_of(headers, "x-amz-content-sha256"), hex(sha256("")));
  EXPECT_EQ(value_of(headers, "x-amz-security-token"), "(none)");
  EXPECT_TRUE(
      value_of(headers, "authorization")
          .starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/"
                       "s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;"
                       "x-amz-date, Signature="));
}

TEST(Signer, SignsTheTokenOfASession) {
  const Signer signer("us-east-1");
  Credentials credentials = example_credentials();
  credentials.session_token = "token";
  const auto headers = signer.sign(example_get(), credentials, kExampleTime);
  EXPECT_EQ(value_of(headers, "x-amz-security-token"), "token");
  EXPECT_NE(value_of(headers, "authorization").find(";x-amz-security-token,"), std::string::npos);
}

TEST(Signer, TakesAnotherKeyOnTheNextDayAndForOthers) {
  const Signer signer("us-east-1");
  const auto sign = [&](const Credentials& credentials, auto time) {
    return value_of(signer.sign(example_get(), credentials, time), "authorization");
  };
  const std::string first = sign(example_credentials(), kExampleTime);
  Credentials other = example_credentials();
  other.access_key_id = "OTHER";
  other.secret_access_key = Secret("other");
  EXPECT_NE(sign(other, kExampleTime), first);
  EXPECT_NE(sign(example_credentials(), kExampleTime + 24h), first);
  EXPECT_EQ(sign(example_credentials(), kExampleTime), first);
}

TEST(UriEncoded, KeepsWhatNeedsNoEscape) {
  EXPECT_EQ(uri_encoded("aZ09-._~", Slash::encoded), "aZ09-._~");
  EXPECT_EQ(uri_encoded("a/b c+d%\xC3\xA4", Slash::kept), "a/b%20c%2Bd%25%C3%A4");
  EXPECT_EQ(uri_encoded("a/b", Slash::encoded), "a%2Fb");
}

TEST(CanonicalQuery, SortsByTheEncodedNames) {
  EXPECT_EQ(canonical_query({{"uploads", ""}, {"a b", "c/d"}, {"a", "1"}}),
            "a%20b=c%2Fd&a=1&uploads=");
}

TEST(Checksums, AreWhatTheStandardsShow) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  Crc32 crc;
  crc.add("1234");
  crc.add("56789");
  EXPECT_EQ(crc.in_base64(), "y/Q5Jg==");  // cbf43926
}

}  // namespace
}  // namespace flowstore::aws
