#include "config/yaml_tree.h"

#include <chrono>
#include <cstring>

#include <gtest/gtest.h>

namespace flowstore::config {
namespace {

// The text of the only problem; empty if the text was read without any.
std::string problem_of(const std::string& text) {
  Problems problems("f.yml");
  const YamlNodePtr root = parse_yaml(text, problems);
  if (problems.all().empty()) return root ? "" : "(nothing read, nothing said)";
  EXPECT_EQ(problems.all().size(), 1u);
  EXPECT_TRUE(problems.all().front().is_fatal);
  return to_text(problems.all().front());
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(YamlTree, RemembersLinesAndTheTextOfScalars) {
  Problems problems("f.yml");
  const YamlNodePtr root = parse_yaml("a: 1\nb:\n  c: '012'\n  d: ~\n", problems);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->text, "1");
  const YamlNode* b = root->find("b");
  EXPECT_EQ(b->find("c")->text, "012");
  EXPECT_EQ(b->find("c")->line, 3);
  EXPECT_EQ(b->find("d")->kind, YamlNode::Kind::null);
  EXPECT_EQ(root->find("x"), nullptr);
}

TEST(YamlTree, ReadsJson) {
  EXPECT_EQ(problem_of(R"({"driver": {"type": "memory", "options": {}}, "port": 3001})"), "");
}

TEST(YamlTree, SharesWhatAnAliasNames) {
  Problems problems("f.yml");
  const YamlNodePtr root = parse_yaml("a: &x {k: v}\nb: *x\n", problems);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("b")->find("k")->text, "v");
}

TEST(YamlTree, SaysWhatIsWrongAndWhere) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "f.yml: it is empty"},
      {"# nothing\n", "f.yml: it is empty"},
      {"---\n", "it is empty"},
      {"- a\n", "f.yml:1: it is no map"},
      {"text", "f.yml:1: it is no map"},
      {"a: [1, 2\n", "f.yml:"},
      {"a: 1\n b: 2\n", "f.yml:2: "},
      {"a: 1\nb: \"x\xff\"\n", "f.yml:2: not UTF-8"},
      {"a: \xed\xa0\x80\n", "f.yml:1: not UTF-8"},
      {"a: \xc0\x80\n", "not UTF-8"},
      {std::string("a: 1\n\nb: \0x\n", 11), "f.yml:3: a control character"},
      {"a: 1\x04\nb: 2\n", "f.yml:1: a control character"},
      {"a: 1\n---\nb: 2\n", "a second document"},
      {"a: &x [*x]\n", "f.yml:1: an alias stands inside"},
      {"a: *x\n", "f.yml:1: "},
      {"[a]: 1\n", "f.yml:1: the name of an option must be plain text"},
      {": 1\n", "the name of an option must be plain text"},
      {repeated("a: {", 40), "nested too deeply"},
      {"a: " + repeated("[", 100'000), "nested too deeply"},
      {repeated("x", (1 << 20) + 1), "larger than 1 MiB"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string said = problem_of(text);
    EXPECT_NE(said.find(expected), std::string::npos) << said << "\nfor " << text.substr(0, 60);
    EXPECT_TRUE(said.starts_with("Failed to read config file f.yml")) << said;
  }
}

TEST(YamlTree, NamesTheTabThatIndents) {
  EXPECT_NE(problem_of("a: 1\nb:\n\tc: 1\n").find("indent with spaces, not tabs"),
            std::string::npos);
}

TEST(YamlTree, AKeyWrittenTwiceIsNamedInFull) {
  EXPECT_EQ(problem_of("a:\n  b:\n    - c: 1\n      d: 2\n      c: 3\n"),
            "f.yml:5: a.b[0].c: is written twice; keep one of them");
}

TEST(YamlTree, BoundsWhatAliasesStandFor) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string inner = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + inner +
            repeated("," + inner, 9) + "]\n";
  }
  EXPECT_NE(problem_of(bomb).find("holds too many values"), std::string::npos);
}

TEST(YamlTree, ReadsAnythingInBoundedTime) {
  constexpr int bytes = 1 << 16;
  for (const char* piece : {"- ", "? ",  "&a ", "!a ",          "{",      "[a,",   "a: ",  "\"",
                            "'",  "|\n", "a\n", "- - ",         "{a: ",   "*a ",   "%",    "#\n",
                            "\t", " ",   "a,",  "\xef\xbb\xbf", "a: b\n", "- a\n", "\"\\n"}) {
    const std::string text = repeated(piece, bytes / static_cast<int>(std::strlen(piece)));
    Problems problems("f.yml");
    const auto start = std::chrono::steady_clock::now();
    (void)parse_yaml(text, problems);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_LT(took.count(), 5.0) << piece;
  }
}

}  // namespace
}  // namespace flowstore::config
