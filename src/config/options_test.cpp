#include "config/options.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "config/effective.h"
#include "config/load.h"

namespace flowstore::config {
namespace {

namespace fs = std::filesystem;

// A file of the repository.
std::string read_source(const std::string& file) {
  const fs::path path = fs::path(__FILE__).parent_path() / "../.." / file;
  std::ifstream stream(path);
  EXPECT_TRUE(stream) << path;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

LoadResult load_text(const std::string& text) {
  Sources sources;
  sources.environment = [text](std::string_view name) -> std::optional<std::string> {
    if (name == "FF_FS_TEST_CONFIG") return text;
    return std::nullopt;
  };
  sources.working_directory = "/home";
  return load(sources);
}

TEST(Options, TheDocumentationNamesEveryOneWithItsDefault) {
  const std::string page = read_source("docs/configuration.md");
  const Config defaults;
  for (const Option& option : options()) {
    std::string row = "| `" + std::string(option.name) + "` | ";
    // A driver is always named in the file.
    if (option.show != nullptr && option.name != "driver.type") row += option.show(defaults) + " |";
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
}

TEST(Options, TheDocumentationNamesNoOther) {
  std::istringstream page(read_source("docs/configuration.md"));
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string name = line.substr(3, line.find('`', 3) - 3);
    const auto& all = options();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& o) { return o.name == name; }))
        << name;
  }
}

TEST(Options, TheExampleFileLoadsWithoutAWarning) {
  const auto loaded = load_text(read_source("etc/flowforge-storage.example.yml"));
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << to_text(problem);
}

TEST(Options, WhatTheExampleFileHasInCommentsIsKnownToo) {
  std::istringstream example(read_source("etc/flowforge-storage.example.yml"));
  std::string text;
  int skipped = 3;  // the introduction
  for (std::string line; std::getline(example, line);) {
    if (skipped-- > 0) continue;
    const std::size_t hash = line.find('#');
    const bool is_comment_line = hash != std::string::npos && hash == line.find_first_not_of(' ');
    if (is_comment_line) line.erase(hash, 2);
    text += line + "\n";
  }
  for (const Problem& problem : load_text(text).problems) {
    // The files of the secrets are not here, and the tokens belong to auth.type: static.
    const bool is_expected =
        problem.message.starts_with("cannot read") || problem.key == "auth.tokens";
    EXPECT_TRUE(is_expected) << to_text(problem);
  }
}

TEST(EffectiveOptions, NameTheValueInForceAndItsOrigin) {
  const auto all = effective_options(load_text("driver: {type: memory}\nhost: h\n"));
  const auto find = [&](std::string_view name) {
    return *std::find_if(all.begin(), all.end(), [&](const auto& o) { return o.name == name; });
  };
  EXPECT_EQ(find("FLOWFORGE_HOME").value, "/home");
  EXPECT_EQ(find("FLOWFORGE_HOME").origin, "FF_FS_TEST_CONFIG");
  EXPECT_EQ(find("host").value, "h");
  EXPECT_EQ(find("host").origin, "FF_FS_TEST_CONFIG:2");
  EXPECT_EQ(find("port").value, "3001");
  EXPECT_EQ(find("port").origin, "default");
  EXPECT_EQ(find("driver.options.maxBytes").value, "1GiB");
}

TEST(EffectiveOptions, HoldNoSecret) {
  const auto loaded = load_text(
      "base_url: http://user:hidden@forge\ndriver: {type: memory, options: {credentials: "
      "{secretAccessKey: hidden}}}\ncontext: {type: db, options: {password: hidden}}\n"
      "auth: {type: static, tokens: [{token: hidden1, project: p}, {token: hidden 2, project: p}],"
      " serviceTokens: [hidden3, [hidden]]}\n");
  std::string all;
  for (const auto& option : effective_options(loaded)) all += option.value + "\n";
  for (const Problem& problem : loaded.problems) all += to_text(problem) + "\n";
  EXPECT_EQ(all.find("hidden"), std::string::npos) << all;
  EXPECT_NE(all.find("http://***@forge"), std::string::npos) << all;
}

}  // namespace
}  // namespace flowstore::config
