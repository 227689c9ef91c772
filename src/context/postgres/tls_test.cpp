#include "postgres/tls.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "support/postgres_database.h"

namespace flowstore::context::postgres {
namespace {

std::string text_of(const std::string& path) {
  return (std::ostringstream() << std::ifstream(path).rdbuf()).str();
}

Options encrypted(TlsMode mode, const std::string& ca_file) {
  Options options = TestDatabase().options();
  options.tls = mode;
  options.ca_file = ca_file;
  options.patience = std::chrono::seconds(5);
  return options;
}

Status probe(const Options& options) {
  Process process(options);
  return run(process->probe());
}

TEST(PostgresTls, EncryptsWithoutLookingAtTheCertificate) {
  const Options options = encrypted(TlsMode::require, "");
  Process process(options);
  ASSERT_TRUE(run(process->probe()));
  Session session(options);  // not encrypted
  EXPECT_EQ(session.value("SELECT string_agg(DISTINCT ssl::text, ' ') FROM pg_stat_ssl "
                          "JOIN pg_stat_activity USING (pid) "
                          "WHERE application_name = 'flowstore' AND datname = current_database()"),
            "true");
}

TEST(PostgresTls, BelievesTheAuthorityThatSigned) {
  EXPECT_TRUE(probe(encrypted(TlsMode::verify_ca, shared_postgres().authority())));
  EXPECT_TRUE(probe(encrypted(TlsMode::verify_full, shared_postgres().authority())));
}

TEST(PostgresTls, BelievesNoOther) {
  EXPECT_FALSE(probe(encrypted(TlsMode::verify_ca, shared_postgres().wrong_authority())));
  EXPECT_FALSE(probe(encrypted(TlsMode::verify_full, shared_postgres().wrong_authority())));
}

TEST(PostgresTls, ChecksTheName) {
  Options options = encrypted(TlsMode::verify_ca, shared_postgres().authority());
  options.host = "127.0.0.2";
  EXPECT_TRUE(probe(options));
  options.tls = TlsMode::verify_full;
  EXPECT_FALSE(probe(options));
}

TEST(PostgresTls, BelievesTheSystemAndTheOperatorsExtraFile) {
  Options options = encrypted(TlsMode::verify_full, "");
  EXPECT_FALSE(probe(options)) << "the system does not know our authority";
  ASSERT_EQ(::setenv("NODE_EXTRA_CA_CERTS", shared_postgres().authority().c_str(), 1), 0);
  EXPECT_TRUE(probe(options));
  ::unsetenv("NODE_EXTRA_CA_CERTS");
}

TEST(PostgresTls, JoinsBothFilesInMemory) {
  Options options;
  options.tls = TlsMode::verify_full;
  const auto tls = Tls::make(options, shared_postgres().authority().c_str());
  ASSERT_TRUE(tls);
  const std::string joined = text_of(tls->authorities());
  EXPECT_NE(joined.find(text_of(shared_postgres().authority())), std::string::npos);
  EXPECT_GT(joined.size(), 10'000U);
  EXPECT_EQ(tls->warning(), "");
}

TEST(PostgresTls, GoesOnWithoutAnExtraFileThatIsNone) {
  Options options;
  options.tls = TlsMode::verify_full;
  const auto tls = Tls::make(options, "/no/such/file");
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->warning(), "NODE_EXTRA_CA_CERTS is ignored: /no/such/file cannot be read.");
}

TEST(PostgresTls, RefusesFilesThatAreNotThere) {
  Options options;
  options.tls = TlsMode::verify_full;
  options.ca_file = "/no/such/ca.crt";
  EXPECT_FALSE(Tls::make(options, nullptr));
  options.ca_file = "/etc/hostname";  // no certificate
  EXPECT_FALSE(Tls::make(options, nullptr));
  options.ca_file = "";
  options.key_file = "/no/such/key";
  const auto tls = Tls::make(options, nullptr);
  ASSERT_FALSE(tls);
  EXPECT_EQ(tls.error().message(),
            "context.options.ssl.key: /no/such/key cannot be read; correct the path or its "
            "permissions");
}

TEST(PostgresTls, AsksForNoFileWhereNothingIsEncrypted) {
  Options options;
  options.ca_file = "/no/such/ca.crt";
  EXPECT_TRUE(Tls::make(options, "/no/such/file"));
}

}  // namespace
}  // namespace flowstore::context::postgres
