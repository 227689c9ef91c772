#include "tools/usage.h"

#include <gtest/gtest.h>

namespace flowstore::tools {
namespace {

Use use_of(const std::string& team, const std::string& project, std::uint64_t bytes,
           std::uint64_t characters) {
  Use use;
  use.team = team;
  use.project = project;
  use.projects = 1;
  use.files = bytes == 0 ? 0 : 3;
  use.file_bytes = bytes;
  use.scopes = characters == 0 ? 0 : 2;
  use.characters = characters;
  return use;
}

Usage example() {
  Usage usage;
  usage.projects = {use_of("t", "large", 2048, 1024), use_of("t", "p", 1, 0)};
  Use team = use_of("t", "", 2049, 1024);
  team.projects = 2;
  usage.teams = {team};
  usage.total = team;
  usage.total.team.clear();
  return usage;
}

TEST(Usage, IsATableWithBarsForPeople) {
  EXPECT_EQ(as_text(example()),
            "team, project       files     bytes   scopes    characters\n"
            "t                       3   2.0 KiB        2         1,024  ################+++++++\n"
            "  large                 3   2.0 KiB        2         1,024  ###############+++++++\n"
            "  p                     3       1 B        0             0  #\n"
            "total                   3   2.0 KiB        2         1,024\n");
}

TEST(Usage, IsOneJsonObjectForMachines) {
  EXPECT_EQ(as_json(example()),
            R"({"total":{"projects":2,"files":3,"fileBytes":2049,"scopes":2,)"
            R"("contextCharacters":1024},"teams":[{"team":"t","projects":2,"files":3,)"
            R"("fileBytes":2049,"scopes":2,"contextCharacters":1024}],"projects":[)"
            R"({"team":"t","project":"large","files":3,"fileBytes":2048,"scopes":2,)"
            R"("contextCharacters":1024},{"team":"t","project":"p","files":3,"fileBytes":1,)"
            R"("scopes":0,"contextCharacters":0}]})"
            "\n");
}

TEST(Usage, ANameCannotSteerTheTerminal) {
  Usage usage = example();
  usage.projects[0].project = "a\x1b[2J";
  EXPECT_EQ(as_text(usage).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace flowstore::tools
