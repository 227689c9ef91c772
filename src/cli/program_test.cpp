#include "cli/program.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace flowstore::cli {
namespace {

namespace fs = std::filesystem;

// The program with a HOME of its own, a server that only notes that it was started, and whatever
// the dependencies are said to be.
class Program : public ::testing::Test {
 protected:
  Program() {
    std::string name = (fs::temp_directory_path() / "flowstore-cli-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
    fs::create_directory(home_ / "etc");
  }
  ~Program() override { fs::remove_all(home_); }

  std::string write(const std::string& file, const std::string& text) const {
    std::ofstream(home_ / file) << text;
    return (home_ / file).string();
  }

  int run(const std::vector<std::string>& words) {
    out_.str("");
    err_.str("");
    served_.reset();
    const auto serve = [this](const config::Config& config) {
      served_ = config;
      return 7;
    };
    const auto check = [this](const config::Config&) { return dependencies_; };
    const auto environment = [this](std::string_view variable) -> std::optional<std::string> {
      if (variable == "FLOWFORGE_HOME") return home_.string();
      return std::nullopt;
    };
    return run_program(words, Surroundings{environment, "/", out_, err_, serve, check});
  }

  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  fs::path home_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::optional<config::Config> served_;
  std::vector<server::CheckResult> dependencies_ = {{"port", true, false, "3001 is free"}};
};

constexpr const char* good = "base_url: http://forge\ndriver: {type: memory}\n";
constexpr const char* default_file = "etc/flowforge-storage.yml";

TEST_F(Program, ServesWithoutACommand) {
  write(default_file, good);
  EXPECT_EQ(run({}), 7);
  ASSERT_TRUE(served_);
  EXPECT_EQ(served_->base_url, "http://forge");
  EXPECT_EQ(run({"serve"}), 7);
  EXPECT_TRUE(served_);
  EXPECT_EQ(out() + err(), "");
}

TEST_F(Program, TakesOptionsBeforeAndAfterTheCommand) {
  const std::string file = write("other.yml", std::string(good) + "port: 5\n");
  EXPECT_EQ(run({"--config", file, "serve"}), 7);
  EXPECT_EQ(served_->port, 5);
  EXPECT_EQ(run({"serve", "--config=" + file, "--home", "/x"}), 7);
  EXPECT_EQ(served_->port, 5);
  EXPECT_EQ(served_->home, "/x");
}

TEST_F(Program, NamesEveryProblemOfAStartOnALineOfItsOwn) {
  const std::string file = write(default_file, "driver: {typ: memory}\nport: abc\n");
  EXPECT_EQ(run({}), 1);
  EXPECT_FALSE(served_);
  EXPECT_EQ(out(), "");
  EXPECT_EQ(err(), "flowstore: warning: " + file +
                       ":1: driver.typ: is no option and is ignored; did you mean driver.type?\n"
                       "flowstore: " +
                       file +
                       ":2: port: \"abc\" is not allowed; use a whole number from 0 to 65535\n"
                       "flowstore: " +
                       file +
                       ":1: driver.type: is missing; set it to localfs, s3 or memory\n"
                       "flowstore: " +
                       file +
                       ": base_url: is missing; set it to the URL of the FlowFuse platform, or use "
                       "auth.type: static\n");
}

TEST_F(Program, AWrongCommandLineIsOneSentenceAndExitCode2) {
  const std::vector<std::vector<std::string>> cases = {
      {"srve"},           {"--port", "1"},
      {"--config"},       {"check", "--jso"},
      {"serve", "check"}, {"serve", "--json"},
      {"check", "now"},   {"--config", "a", "--config", "b"}};
  for (const auto& words : cases) {
    EXPECT_EQ(run(words), 2) << words[0];
    EXPECT_EQ(out(), "");
    EXPECT_TRUE(err().starts_with("flowstore: ")) << err();
    EXPECT_TRUE(err().ends_with("; see flowstore --help\n")) << err();
    EXPECT_EQ(err().find('\n'), err().size() - 1) << err();
    EXPECT_FALSE(served_);
  }
}

TEST_F(Program, PrintsItsVersion) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out(), "flowstore " FLOWSTORE_VERSION "\n");
}

TEST_F(Program, PrintsHelpThatFitsAScreen) {
  for (const char* word : {"--help", "-h"}) {
    EXPECT_EQ(run({word}), 0);
    EXPECT_NE(out().find("Usage: flowstore [COMMAND] [options]"), std::string::npos);
  }
  for (const char* command :
       {"", "check", "healthcheck", "usage", "export", "import", "migrate", "gc"}) {
    SCOPED_TRACE(command);
    std::vector<std::string> words = {"--help"};
    if (*command != '\0') words.insert(words.begin(), command);
    EXPECT_EQ(run(words), 0);
    const std::string usage = std::string("Usage: flowstore ") + command;
    EXPECT_NE(out().find(usage), std::string::npos) << out();
    EXPECT_NE(out().find("\nExamples:\n"), std::string::npos);
    std::istringstream lines(out());
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 95u) << line;
    EXPECT_LE(count, 34);
    EXPECT_GT(count, 10);
  }
}

TEST_F(Program, ACommandWithoutWhatItNeedsIsMisuse) {
  const std::vector<std::vector<std::string>> cases = {
      {"export"},
      {"import"},
      {"gc"},
      {"gc", "--live", "x", "--delete", "all"},
      {"gc", "--live", "x", "--quiet-days", "-1"},
      {"migrate"},
      {"migrate", "--from-tree", "x"},
      {"migrate", "--from-tree", "x", "--to-tree", "y", "--project", "t/p"},
      {"migrate", "--from", "a", "--from-tree", "x", "--project", "t/p"},
      {"usage", "--project", "p"},
      {"usage", "--project", "/p"},
      {"usage", "--project", "t/p/q"},
      {"export", "a", "--replace"}};
  for (const auto& words : cases) {
    EXPECT_EQ(run(words), 2) << words.front() << " " << words.size();
    EXPECT_TRUE(err().ends_with("; see flowstore --help\n")) << err();
    EXPECT_EQ(err().find('\n'), err().size() - 1) << err();
  }
}

TEST_F(Program, CountsWhatIsThere) {
  write(default_file, "base_url: http://forge\ndriver: {type: localfs, options: {root: files}}\n");
  fs::create_directories(home_ / "files/t/p");
  write("files/t/p/a", "12345");
  EXPECT_EQ(run({"usage", "--json"}), 0) << err();
  EXPECT_TRUE(out().starts_with(R"({"total":{"projects":1,"files":1,"fileBytes":5,)")) << out();
  EXPECT_EQ(err(), "");
}

TEST_F(Program, AHealthcheckSaysInOneSentenceWhyThereIsNoAnswer) {
  // Nobody listens on port 1, and the configuration need not be able to serve.
  write(default_file, "port: 1\nbase_url: http://forge\ndriver: {type: memory}\n");
  EXPECT_EQ(run({"healthcheck"}), 1);
  EXPECT_EQ(out(), "");
  EXPECT_TRUE(err().starts_with("flowstore: http://localhost:1/health does not answer: ")) << err();
  EXPECT_TRUE(err().ends_with("is flowstore running, with this port?\n")) << err();
  EXPECT_EQ(run({"healthcheck", "--json"}), 1);
  EXPECT_TRUE(out().starts_with(R"({"ok":false,"detail":"http://localhost:1/health )")) << out();
}

TEST_F(Program, CheckPrintsTheConfigurationAndALinePerResult) {
  const std::string file = write(default_file, std::string(good) + "hots: x\n");
  EXPECT_EQ(run({"check"}), 0);
  EXPECT_FALSE(served_);
  EXPECT_NE(out().find("# " + file + ":1\n"), std::string::npos) << out();
  EXPECT_NE(out().find("\nwarn  " + file + ":3: hots: is no option"), std::string::npos) << out();
  EXPECT_NE(out().find("\nok    configuration: " + file + "\n"), std::string::npos) << out();
  EXPECT_TRUE(out().ends_with("\nok    port: 3001 is free\n")) << out();
}

TEST_F(Program, CheckFailsIfADependencyDoes) {
  write(default_file, good);
  dependencies_.push_back(
      {"platform", false, false, "http://forge does not answer; is it running?"});
  EXPECT_EQ(run({"check"}), 1);
  EXPECT_TRUE(out().ends_with("\nFAIL  platform: http://forge does not answer; is it running?\n"));
}

TEST_F(Program, AWarningOfACheckIsNoFailure) {
  write(default_file, good);
  dependencies_.push_back({"clock", true, true, "this machine is 90 s ahead of the platform"});
  EXPECT_EQ(run({"check"}), 0);
  EXPECT_TRUE(out().ends_with("\nwarn  clock: this machine is 90 s ahead of the platform\n"));
  EXPECT_EQ(run({"check", "--json"}), 0);
  EXPECT_NE(
      out().find(
          R"("ok":true,"detail":"this machine is 90 s ahead of the platform","warning":true)"),
      std::string::npos);
}

TEST_F(Program, CheckTriesNothingWithAConfigurationThatCannotBeUsed) {
  const std::string file = write(default_file, "driver: {type: s4}\nbase_url: http://forge\n");
  EXPECT_EQ(run({"check"}), 1);
  EXPECT_EQ(out(), "FAIL  " + file +
                       ":1: driver.type: \"s4\" is no driver; use localfs, s3 or memory\n"
                       "FAIL  configuration: nothing else was tried; mend the above and run check "
                       "again\n");
}

TEST_F(Program, CheckSpeaksJson) {
  const std::string file = write(default_file, "driver: {type: s4}\nbase_url: http://forge\n");
  EXPECT_EQ(run({"check", "--json"}), 1);
  EXPECT_EQ(out(),
            R"({"ok":false,"version":")" FLOWSTORE_VERSION R"(","file":")" + file +
                R"(","options":[],"problems":[{"fatal":true,"file":")" + file +
                R"(","line":1,"key":"driver.type","message":"\"s4\" is no driver; use localfs, s3 )"
                "or memory\"}],\"checks\":[]}\n");
  write(default_file, good);
  EXPECT_EQ(run({"--home", home_.string(), "check", "--json"}), 0);
  EXPECT_TRUE(out().starts_with(R"({"ok":true,)")) << out();
  EXPECT_NE(out().find(R"({"name":"FLOWFORGE_HOME","value":")" + home_.string() +
                       R"(","origin":"command line"})"),
            std::string::npos)
      << out();
  EXPECT_TRUE(out().ends_with(
      R"("problems":[],"checks":[{"name":"port","ok":true,"detail":"3001 is free"}]})"
      "\n"))
      << out();
}

}  // namespace
}  // namespace flowstore::cli
