// Against `openssl s_server` with a certificate authority that lives for one test.

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "http/client.h"
#include "support/run.h"
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

Result<ClientResponse> get(Client& client, const std::string& url) {
  ClientRequest request;
  request.url = url;
  request.timeout = std::chrono::seconds(20);
  request.connect_timeout = std::chrono::seconds(20);
  return run(client.get(std::move(request)));
}

TEST(ClientTrust, ReachesToTheExtraCertificates) {
  const Certificates certificates;
  const TlsServer server(certificates);
  const ExtraCertificates extra(certificates.path("ca.pem"));
  Client client;
  EXPECT_EQ(client.warning(), "");
  for (int i = 0; i < 2; ++i) {
    const auto response = get(client, server.url());
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, 200);
  }
}

TEST(ClientTrust, EndsWithTheSystemOtherwise) {
  const Certificates certificates;
  const TlsServer server(certificates);
  Client client;
  const auto response = get(client, server.url());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::unavailable);
  EXPECT_NE(response.error().message().find("certificate"), std::string::npos)
      << response.error().message();
}

TEST(ClientTrust, LeavesOutAFileThatHoldsNoCertificates) {
  const Certificates certificates;
  for (const char* name : {"missing", "names"}) {
    const ExtraCertificates extra(certificates.path(name));
    const Client client;
    EXPECT_NE(client.warning().find(certificates.path(name)), std::string::npos);
  }
}

}  // namespace
}  // namespace flowstore::http
