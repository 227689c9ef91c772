#include "config/listener_options.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace flowstore::config {
namespace {

constexpr const char* kRest = "base_url: http://forge:3000\ndriver: {type: memory}\n";

LoadResult load_text(const std::string& text) {
  Sources sources;
  sources.environment = [text](std::string_view name) -> std::optional<std::string> {
    if (name == "FF_FS_TEST_CONFIG") return kRest + text;
    return std::nullopt;
  };
  sources.working_directory = "/home";
  return load(sources);
}

// All problems, one a line.
std::string said(const LoadResult& loaded) {
  std::string all;
  for (const Problem& problem : loaded.problems) {
    all += (problem.is_fatal ? "" : "warning: ") + problem.key + " " + problem.message + "\n";
  }
  return all;
}

TEST(TlsOptions, AreTwoFilesRelativeToHome) {
  EXPECT_FALSE(load_text("").config.tls.is_on());
  const auto loaded = load_text("tls: {cert: etc/a.crt, key: /run/a.key}");
  EXPECT_EQ(said(loaded), "");
  EXPECT_EQ(loaded.config.tls.cert_file, "/home/etc/a.crt");
  EXPECT_EQ(loaded.config.tls.key_file, "/run/a.key");
}

TEST(TlsOptions, AreNotHalfSet) {
  for (const char* const text : {"tls: {cert: a}", "tls: {key: a}", "tls: {crt: a}"}) {
    EXPECT_FALSE(load_text(text).is_usable()) << text;
  }
  EXPECT_NE(said(load_text("tls: {cert: a}")).find("tls needs both cert and key"),
            std::string::npos);
}

TEST(AdminOptions, AreOffWithoutAPort) {
  const auto loaded = load_text("");
  EXPECT_EQ(said(loaded), "");
  EXPECT_FALSE(loaded.config.admin.port);
  EXPECT_EQ(said(load_text("admin: {host: 127.0.0.1}")),
            "warning: admin has no effect without admin.port\n");
}

TEST(AdminOptions, TakeATokenInOneWay) {
  const auto loaded = load_text("admin: {port: 3003, host: 0.0.0.0, token: metrics}");
  EXPECT_EQ(said(loaded), "");
  EXPECT_EQ(loaded.config.admin.port, 3003);
  EXPECT_EQ(loaded.config.admin.host, "0.0.0.0");
  EXPECT_EQ(loaded.config.admin.token.token.reveal(), "metrics");
  EXPECT_TRUE(loaded.config.admin.has_token());
  const std::string digest(64, 'a');
  EXPECT_EQ(said(load_text("admin: {port: 3003, token: metrics, sha256: " + digest + "}")),
            "admin names its token more than once; keep one of token, token_file and sha256\n");
  EXPECT_TRUE(load_text("admin: {port: 3003, sha256: " + digest + "}").config.admin.has_token());
}

TEST(AdminOptions, WarnOfMetricsForEverybody) {
  EXPECT_NE(said(load_text("admin: {port: 3003, host: 0.0.0.0}")).find("warning: admin.host"),
            std::string::npos);
  for (const char* const host : {"localhost", "127.0.0.1", "'::1'"}) {
    EXPECT_EQ(said(load_text("admin: {port: 3003, host: " + std::string(host) + "}")), "") << host;
  }
}

TEST(AdminOptions, WantATokenOfTheirOwn) {
  const auto loaded =
      load_text("admin: {port: 3003, token: hidden}\nauth: {serviceTokens: [hidden]}\n");
  EXPECT_EQ(said(loaded), "admin has the same token as auth.serviceTokens[0]; give each its own\n");
}

}  // namespace
}  // namespace flowstore::config
