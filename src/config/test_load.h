// What the tests of the loader share.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.h"

namespace flowstore::config {

namespace fs = std::filesystem;

using Variables = std::map<std::string, std::string, std::less<>>;

// A HOME of its own, and the loader with an environment that holds only what the test says.
class Load : public ::testing::Test {
 protected:
  Load() {
    std::string name = (fs::temp_directory_path() / "flowstore-config-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
  }
  ~Load() override { fs::remove_all(home_); }

  std::string write(const std::string& file, const std::string& text) const {
    const fs::path path = home_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

  Sources sources(const Variables& variables) const {
    Sources sources;
    sources.environment = [variables](std::string_view name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    sources.working_directory = home_.string();
    sources.default_home = (home_ / "installed").string();
    return sources;
  }

  // As the server would be started with this file.
  LoadResult load_text(const std::string& text) const {
    write("etc/flowforge-storage.yml", text);
    return load(sources({{"FLOWFORGE_HOME", home_.string()}}));
  }

  std::string default_file() const { return (home_ / "etc/flowforge-storage.yml").string(); }

  // The problems without the name of the file, as "3: port: ...".
  std::vector<std::string> said(const LoadResult& loaded) const {
    std::vector<std::string> texts;
    for (Problem problem : loaded.problems) {
      const bool is_file = problem.file == default_file();
      if (is_file) problem.file = "";
      std::string text = to_text(problem);
      if (is_file) text.erase(0, text.find_first_not_of(": "));
      texts.push_back((problem.is_fatal ? "" : "warning ") + text);
    }
    return texts;
  }

  fs::path home_;
};

inline constexpr const char* minimal = "base_url: http://forge:3000\ndriver: {type: memory}\n";

}  // namespace flowstore::config
