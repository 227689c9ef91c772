// Whom our questions believe.

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "http/ask.h"
#include "support/outgoing.h"
#include "support/tls_server.h"

namespace flowstore::http {
namespace {

// Sets the variable for as long as it lives.
class ExtraCertificates {
 public:
  explicit ExtraCertificates(const std::string& path) {
    ::setenv("NODE_EXTRA_CA_CERTS", path.c_str(), 1);
  }
  ~ExtraCertificates() { ::unsetenv("NODE_EXTRA_CA_CERTS"); }
};

Result<Answer> get(const Trust& trust, const std::string& url, int times = 1) {
  Connector connector(trust);
  Question question("GET", url);
  question.timeout = kPatience;
  question.connect_timeout = kPatience;
  for (int i = 1; i < times; ++i) EXPECT_TRUE(run(ask(connector, question)));
  return run(ask(connector, question));
}

std::string url_of(const ScriptedPeer& peer, const std::string& host) {
  return "https://" + host + ":" + std::to_string(peer.port()) + "/";
}

TEST(Trust, ReachesToTheExtraCertificates) {
  const Certificates certificates;
  const TlsServer server(certificates);
  const ExtraCertificates extra(certificates.path("ca.pem"));
  const Trust trust = Trust::of_environment();
  EXPECT_EQ(trust.warning(), "");
  const auto response = get(trust, server.url(), 2);
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 200);
}

TEST(Trust, EndsWithTheSystemOtherwise) {
  const Certificates certificates;
  const TlsServer server(certificates);
  const auto response = get(Trust::of_environment(), server.url());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::unavailable);
  EXPECT_NE(response.error().message().find(kNotAccepted), std::string::npos)
      << response.error().message();
}

TEST(Trust, InAnybodyTakesWhateverCertificateItIsShown) {
  const TestAuthority authority;
  const ScriptedPeer peer(authority.certify("DNS:files.example"), always(ok("hello")));
  const auto response = get(Trust::in_anybody(), url_of(peer, "127.0.0.1"));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, "hello");
}

TEST(Trust, LeavesOutAFileThatHoldsNoCertificates) {
  const Certificates certificates;
  for (const char* name : {"missing", "names", "."}) {
    const ExtraCertificates extra(certificates.path(name));
    const Trust trust = Trust::of_environment();
    EXPECT_EQ(trust.extra_file(), "");
    EXPECT_NE(trust.warning().find(certificates.path(name)), std::string::npos);
  }
}

TEST(Trust, SaysWhichFileHoldsABrokenCertificate) {
  const Certificates certificates;
  const TlsServer server(certificates);
  const std::string broken = certificates.path("broken.pem");
  std::ofstream(broken) << "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n";
  const auto response = get(Trust(broken.c_str()), server.url());
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().message().find("NODE_EXTRA_CA_CERTS"), std::string::npos)
      << response.error().message();
}

}  // namespace
}  // namespace flowstore::http
