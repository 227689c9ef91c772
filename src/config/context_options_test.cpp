#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "config/effective.h"
#include "config/load.h"

namespace flowstore::config {
namespace {

namespace fs = std::filesystem;

// A HOME with a file that holds the given options of context.
class ContextOptions : public ::testing::Test {
 protected:
  ContextOptions() {
    std::string name = (fs::temp_directory_path() / "flowstore-config-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
    fs::create_directory(home_ / "etc");
  }
  ~ContextOptions() override { fs::remove_all(home_); }

  LoadResult load_context(const std::string& context) const {
    std::ofstream(home_ / "etc/flowforge-storage.yml")
        << "base_url: http://f\ndriver: {type: memory}\ncontext: " << context << "\n";
    Sources sources;
    sources.environment = [](std::string_view) { return std::nullopt; };
    sources.working_directory = "/";
    sources.home = home_.string();
    return load(sources);
  }

  ContextConfig read(const std::string& context) const {
    const auto loaded = load_context(context);
    for (const Problem& problem : loaded.problems) ADD_FAILURE() << to_text(problem);
    return loaded.config.context;
  }

  TlsMode tls_of(const std::string& ssl) const {
    return read("{type: db, options: {type: postgres, ssl: " + ssl + "}}").tls.effective_mode();
  }

  // "3: context.quota: ..." for each problem.
  std::vector<std::string> said(const std::string& context) const {
    std::vector<std::string> texts;
    for (const Problem& problem : load_context(context).problems) {
      texts.push_back((problem.is_fatal ? "" : "warning ") + std::to_string(problem.line) + ": " +
                      problem.key + ": " + problem.message);
    }
    return texts;
  }

  fs::path home_;
};

using Said = std::vector<std::string>;

TEST_F(ContextOptions, AreOffWithoutAType) {
  EXPECT_FALSE(read("{}").is_on);
  EXPECT_FALSE(read("{quota: 1000}").is_on);
  EXPECT_TRUE(read("{type: db}").is_on);
  EXPECT_TRUE(read("{type: sequelize}").is_on);
}

TEST_F(ContextOptions, AreSqliteInVarUnlessTheySayMore) {
  for (const char* const text : {"{type: db}", "{type: db, options: {}}",
                                 "{type: db, options: {type: sqlite, storage: ''}}"}) {
    const ContextConfig context = read(text);
    EXPECT_EQ(context.database, DatabaseType::sqlite) << text;
    EXPECT_EQ(context.storage, home_ / "var/context.db") << text;
    EXPECT_EQ(context.journal, Journal::wal) << text;
    EXPECT_EQ(context.quota, std::nullopt) << text;
  }
}

TEST_F(ContextOptions, PlaceTheFileOfSqlite) {
  EXPECT_EQ(read("{type: db, options: {storage: ff.db}}").storage, home_ / "var/ff.db");
  EXPECT_EQ(read("{type: db, options: {storage: /x/../y.db}}").storage, "/y.db");
  EXPECT_EQ(read("{type: db, options: {storage: ':memory:'}}").storage, kInMemory);
  EXPECT_EQ(read("{type: db, options: {journal: delete}}").journal, Journal::rollback);
}

TEST_F(ContextOptions, NameAPostgresWithTheDefaultsOfTheOldServer) {
  const ContextConfig context = read("{type: sequelize, options: {type: postgres, logging: true}}");
  EXPECT_EQ(context.database, DatabaseType::postgres);
  EXPECT_EQ(context.host, "postgres");
  EXPECT_EQ(context.port, 5432);
  EXPECT_EQ(context.database_name, "ff-context");
  EXPECT_EQ(context.username, "");
  EXPECT_TRUE(context.password.empty());
  EXPECT_EQ(context.connections, 10u);
  EXPECT_EQ(context.tls.effective_mode(), TlsMode::disable);
}

TEST_F(ContextOptions, ReadEverythingAboutPostgres) {
  const ContextConfig context = read(
      "{type: db, quota: 1MiB, options: {type: postgres, host: db, port: '6432', database: d,\n"
      "  username: u, password: ' p\"w ', connections: 3}}");
  EXPECT_EQ(context.quota, 1u << 20);
  EXPECT_EQ(context.host, "db");
  EXPECT_EQ(context.port, 6432);
  EXPECT_EQ(context.database_name, "d");
  EXPECT_EQ(context.username, "u");
  EXPECT_EQ(context.password.reveal(), " p\"w ");
  EXPECT_EQ(context.connections, 3u);
}

TEST_F(ContextOptions, ReadAPasswordFromAFile) {
  std::ofstream(home_ / "password") << "secret\n";
  const ContextConfig context =
      read("{type: db, options: {type: postgres, password_file: password}}");
  EXPECT_EQ(context.password.reveal(), "secret");
  EXPECT_EQ(said("{type: db, options: {type: postgres, password_file: password, password: x}}"),
            Said{"3: context.options: names its password twice; keep password or password_file"});
}

TEST_F(ContextOptions, TakeEmptyTextsForNone) {
  const ContextConfig context = read(
      "{type: db, options: {type: postgres, host: '', database: '', username: '', password: ''}}");
  EXPECT_EQ(context.host, "postgres");
  EXPECT_EQ(context.database_name, "ff-context");
  EXPECT_TRUE(context.password.empty());
}

TEST_F(ContextOptions, AreNotSetWhereTheOldServerTookThemForThat) {
  for (const char* const nothing : {"''", "false", "0"}) {
    const std::string value(nothing);
    EXPECT_FALSE(read("{type: " + value + "}").is_on) << value;
    const ContextConfig context =
        read("{type: db, quota: " + value + ", options: {type: " + value + "}}");
    EXPECT_TRUE(context.is_on) << value;
    EXPECT_EQ(context.quota, std::nullopt) << value;
    EXPECT_EQ(context.database, DatabaseType::sqlite) << value;
    const ContextConfig postgres =
        read("{type: db, options: {type: postgres, port: " + value + "}}");
    EXPECT_EQ(postgres.port, 5432) << value;
    EXPECT_EQ(tls_of(value), TlsMode::disable) << value;
  }
  EXPECT_EQ(read("{type: db, quota: -1}").quota, std::nullopt);
  EXPECT_EQ(said("{type: db, options: {logging: any text}}"), Said{});
  EXPECT_EQ(said("{type: db, options: {logging: {a: 1}}}"), Said{});
}

TEST_F(ContextOptions, EncryptWhereTheOldServerDid) {
  for (const char* const ssl : {"yes", "on", "1", "True", "{}", "{ca: }"}) {
    EXPECT_EQ(tls_of(ssl), TlsMode::verify_full) << ssl;
  }
}

TEST_F(ContextOptions, EncryptAsTheySay) {
  EXPECT_EQ(tls_of("true"), TlsMode::verify_full);
  EXPECT_EQ(tls_of("'true'"), TlsMode::verify_full);
  EXPECT_EQ(tls_of("false"), TlsMode::disable);
  EXPECT_EQ(tls_of("'false'"), TlsMode::disable);
  EXPECT_EQ(tls_of("require"), TlsMode::require);
  EXPECT_EQ(tls_of("{mode: verify-ca}"), TlsMode::verify_ca);
  EXPECT_EQ(tls_of("{mode: disable}"), TlsMode::disable);
  EXPECT_EQ(tls_of("{ca: x.pem}"), TlsMode::verify_full);
  EXPECT_EQ(tls_of("{rejectUnauthorized: true}"), TlsMode::verify_full);
  EXPECT_EQ(tls_of("{rejectUnauthorized: false}"), TlsMode::require);
  EXPECT_EQ(tls_of("{rejectUnauthorized: false, ca: x.pem}"), TlsMode::require);
  EXPECT_EQ(tls_of("{ca: x.pem, rejectUnauthorized: false}"), TlsMode::require);
  EXPECT_EQ(tls_of("{rejectUnauthorized: false, mode: verify-full}"), TlsMode::verify_full);
}

TEST_F(ContextOptions, FindCertificatesBelowHome) {
  const DatabaseTls tls =
      read("{type: db, options: {type: postgres, ssl: {ca: etc/ca.pem, cert: /c, key: k/../l}}}")
          .tls;
  EXPECT_EQ(tls.ca_file, home_ / "etc/ca.pem");
  EXPECT_EQ(tls.cert_file, "/c");
  EXPECT_EQ(tls.key_file, home_ / "l");
}

TEST_F(ContextOptions, RefuseNonsense) {
  EXPECT_EQ(said("{type: redis}"),
            Said{"3: context.type: \"redis\" is no context store; use sequelize or db"});
  EXPECT_EQ(said("{type: db, quota: many}"),
            Said{"3: context.quota: \"many\" is no size; use bytes, such as 1000000, or a unit, "
                 "such as 512MiB or 1GB"});
  EXPECT_EQ(said("{type: db, options: {type: mysql, host: h}}"),
            Said{"3: context.options.type: \"mysql\" is no database; use sqlite or postgres"});
  EXPECT_EQ(said("{type: db, options: {journal: off}}"),
            Said{"3: context.options.journal: \"off\" is no journal; use wal or delete"});
  const std::string begin = "{type: db, options: {type: postgres, ";
  EXPECT_EQ(said(begin + "port: 65536}}"),
            Said{"3: context.options.port: \"65536\" is not allowed; use a whole number from 1 to "
                 "65535"});
  EXPECT_EQ(said(begin + "connections: 0}}"),
            Said{"3: context.options.connections: \"0\" is not allowed; use a whole number from 1 "
                 "to 1000"});
  EXPECT_EQ(
      said(begin + "ssl: maybe}}"),
      Said{"3: context.options.ssl: \"maybe\" is no way to encrypt; use true, false, disable, "
           "require, verify-ca or verify-full"});
  // Not encrypted for whoever reads it, and encrypted by the old server.
  EXPECT_EQ(said(begin + "ssl: no}}").size(), 1u);
  EXPECT_EQ(said(begin + "ssl: off}}").size(), 1u);
  EXPECT_EQ(said(begin + "ssl: {sslmode: require}}}"),
            (Said{"warning 3: context.options.ssl.sslmode: is no option and is ignored",
                  "3: context.options.ssl: does not say whether to encrypt; use true, false or a "
                  "mode"}));
  EXPECT_EQ(said(begin + "ssl: {mode: prefer}}}"),
            Said{"3: context.options.ssl.mode: \"prefer\" is no way to encrypt; use disable, "
                 "require, verify-ca or verify-full"});
  EXPECT_EQ(said(begin + "ssl: {cert: c}}}"),
            Said{"3: context.options.ssl: needs both cert and key, or neither"});
  EXPECT_EQ(
      said(begin + "ssl: {ca: '-----BEGIN CERTIFICATE-----'}}}"),
      Said{"3: context.options.ssl.ca: is the text of a certificate or key; put it into a file "
           "and name that"});
}

TEST_F(ContextOptions, WarnOfWhatHasNoEffect) {
  EXPECT_EQ(said("{options: {type: sqlite}}"),
            Said{"warning 3: context.options: has no effect without context.type; set that to db"});
  EXPECT_EQ(said("{type: db, options: {type: postgres, storage: x.db}}"),
            Said{"warning 3: context.options.storage: has no effect; it belongs to type: sqlite"});
  EXPECT_EQ(said("{type: db, options: {host: x}}"),
            Said{"warning 3: context.options.host: has no effect; it belongs to type: postgres"});
  EXPECT_EQ(said("{type: db, options: {type: postgres, ssl: {mode: disable, ca: x}}}"),
            Said{"warning 3: context.options.ssl.mode: turns encryption off; the other options of "
                 "ssl have no effect"});
  EXPECT_EQ(said("{type: db, options: {typ: postgres}}"),
            Said{"warning 3: context.options.typ: is no option and is ignored; did you mean "
                 "context.options.type?"});
}

TEST_F(ContextOptions, ShowNoPassword) {
  const auto loaded = load_context("{type: db, options: {type: postgres, password: hidden}}");
  bool is_shown = false;
  for (const EffectiveOption& option : effective_options(loaded)) {
    EXPECT_EQ(option.value.find("hidden"), std::string::npos);
    if (option.name == "context.options.password") is_shown = option.value == "(secret)";
  }
  EXPECT_TRUE(is_shown);
}

}  // namespace
}  // namespace flowstore::config
