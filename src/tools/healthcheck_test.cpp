#include "tools/healthcheck.h"

#include <gtest/gtest.h>

namespace flowstore::tools {
namespace {

std::string url_with(const std::string& host) {
  config::Config config;
  config.host = host;
  config.port = 3002;
  return health_url(config);
}

TEST(Healthcheck, AsksWhereTheServerListens) {
  EXPECT_EQ(url_with("0.0.0.0"), "http://127.0.0.1:3002/health");
  EXPECT_EQ(url_with("::"), "http://[::1]:3002/health");
  EXPECT_EQ(url_with("localhost"), "http://localhost:3002/health");
  EXPECT_EQ(url_with("10.1.2.3"), "http://10.1.2.3:3002/health");
  EXPECT_EQ(url_with("fd00::7"), "http://[fd00::7]:3002/health");
}

TEST(Healthcheck, AsksOverTlsWhereTheServerSpeaksIt) {
  config::Config config;
  config.host = "::1";
  config.tls.cert_file = "/c.pem";
  EXPECT_EQ(health_url(config), "https://[::1]:3001/health");
}

}  // namespace
}  // namespace flowstore::tools
