// One file: writing, reading, removing it, and what is no file.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "conformance/file_store_conformance.h"
#include "support/bodies.h"

namespace flowstore::files {
namespace {

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : result.error().code();
}

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "ok" : result.error().message();
}

template <class T>
bool is(const Result<T>& result, ErrorKind kind) {
  return !result && result.error().kind() == kind;
}

// More than drivers keep in memory, in pieces that fit no block.
std::vector<std::string> large_pieces() {
  std::vector<std::string> pieces;
  for (int i = 0; i < 200; ++i) pieces.emplace_back(10'007, static_cast<char>('a' + i % 26));
  return pieces;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

TEST_P(FileStoreConformance, ReadsWhatWasWritten) {
  ASSERT_TRUE(replace("dir/a.txt", "hello"));
  EXPECT_EQ(*read("dir/a.txt"), "hello");
  EXPECT_EQ(stat("dir/a.txt")->size, 5U);
}

TEST_P(FileStoreConformance, ReplacesTheWholeFile) {
  for (const std::string content : {"a long first content", "short", "a longer one than that"}) {
    ASSERT_TRUE(replace("a", content));
    EXPECT_EQ(*read("a"), content);
  }
}

TEST_P(FileStoreConformance, SaysWhatAWriteDid) {
  const auto made = replace("a", "12345");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->replaced_bytes.value_or(0), 0U);
  EXPECT_EQ(made->stat.size, 5U);

  const auto grown = append("a", "67");
  ASSERT_TRUE(grown);
  EXPECT_EQ(grown->replaced_bytes, 5U);
  EXPECT_EQ(grown->stat.size, 7U);

  const auto replaced = replace("a", "x");
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->replaced_bytes.value_or(7), 7U);
  EXPECT_EQ(replaced->stat.size, 1U);
}

TEST_P(FileStoreConformance, DescribesAFileAlikeEverywhere) {
  const auto written = replace("a", "12345");
  ASSERT_TRUE(written);
  const FileKey key = key_of("a");
  const auto opened = run(store().open(key, Reading::all));
  const auto known = stat("a");
  ASSERT_TRUE(opened);
  ASSERT_TRUE(known);
  for (const FileStat& other : {opened->stat, written->stat}) {
    EXPECT_EQ(other.size, known->size);
    EXPECT_EQ(other.etag, known->etag);
  }
  EXPECT_EQ(opened->stat.modified, known->modified);
}

TEST_P(FileStoreConformance, AppendCreatesThenExtends) {
  ASSERT_TRUE(append("logs/today", "a"));
  ASSERT_TRUE(append("logs/today", "b"));
  EXPECT_EQ(*read("logs/today"), "ab");
}

TEST_P(FileStoreConformance, KeepsBytesThatAreNoText) {
  const std::string binary("\0\xFF\r\n\x80", 5);
  ASSERT_TRUE(replace("a", binary));
  ASSERT_TRUE(append("a", binary));
  EXPECT_EQ(*read("a"), binary + binary);
}

TEST_P(FileStoreConformance, StoresEmptyFiles) {
  ASSERT_TRUE(replace("replaced", ""));
  ASSERT_TRUE(append("appended", ""));
  EXPECT_EQ(*read("replaced"), "");
  EXPECT_EQ(*read("appended"), "");
  EXPECT_EQ(stat("appended")->size, 0U);
}

TEST_P(FileStoreConformance, AppendingNothingKeepsTheFile) {
  ASSERT_TRUE(replace("a", "hello"));
  ASSERT_TRUE(append("a", ""));
  EXPECT_EQ(*read("a"), "hello");
}

TEST_P(FileStoreConformance, TakesLargeBodiesInPieces) {
  const std::vector<std::string> pieces = large_pieces();
  const std::string whole = joined(pieces);
  PiecesSource unannounced(pieces);
  ASSERT_TRUE(replace(key_of("a"), unannounced));
  EXPECT_TRUE(*read("a") == whole);

  PiecesSource announced(pieces);
  announced.announce(whole.size());
  const auto appended = append(key_of("a"), announced);
  ASSERT_TRUE(appended);
  EXPECT_EQ(appended->stat.size, 2 * whole.size());
  EXPECT_TRUE(*read("a") == whole + whole);
}

TEST_P(FileStoreConformance, ShowsABodyOnlyWhenItIsCommitted) {
  const FileKey key = key_of("dir/a");
  PiecesSource body({"hel", "lo"});
  {
    const auto upload = run(store().receive(key, body, WriteMode::replace));
    ASSERT_TRUE(upload);
    EXPECT_EQ((*upload)->size(), 5U);
    expect_nothing_stored();
  }
  // It was dropped.
  expect_nothing_stored();
  EXPECT_EQ(code_of(read("dir/a")), "ENOENT");
}

TEST_P(FileStoreConformance, ABodyThatBreaksOffLeavesNoTrace) {
  for (const std::vector<std::string>& pieces :
       {std::vector<std::string>{"half"}, large_pieces()}) {
    PiecesSource body(pieces);
    body.break_off(client_went_away());
    const auto written = replace(key_of("dir/a"), body);
    EXPECT_TRUE(is(written, ErrorKind::aborted));
    expect_nothing_stored();
  }
}

TEST_P(FileStoreConformance, ABodyThatBreaksOffLeavesTheOldFile) {
  ASSERT_TRUE(replace("a", "old"));
  const std::string etag = stat("a")->etag;
  PiecesSource body({"new"});
  body.break_off(client_went_away());
  EXPECT_FALSE(replace(key_of("a"), body));
  EXPECT_EQ(*read("a"), "old");
  EXPECT_EQ(stat("a")->etag, etag);
}

TEST_P(FileStoreConformance, EveryWriteGivesAnotherEtag) {
  std::set<std::string> etags;
  for (int i = 0; i < 50; ++i) {
    const auto replaced = replace("a", std::to_string(100 + i));
    ASSERT_TRUE(replaced);
    const auto appended = append("a", "x");
    ASSERT_TRUE(appended);
    etags.insert(replaced->stat.etag);
    etags.insert(appended->stat.etag);
    if (i % 10 == 0) {
      ASSERT_TRUE(remove("a"));
    }
  }
  EXPECT_EQ(etags.size(), 100U);
}

TEST_P(FileStoreConformance, EtagsAreStrongAndQuoted) {
  ASSERT_TRUE(replace("a", "1"));
  const std::string etag = stat("a")->etag;
  ASSERT_GT(etag.size(), 2U);
  EXPECT_EQ(etag.front(), '"');
  EXPECT_EQ(etag.find('"', 1), etag.size() - 1);
}

TEST_P(FileStoreConformance, AnOpenFileStaysWhatItWas) {
  const FileKey key = key_of("a");
  ASSERT_TRUE(replace("a", "first"));
  const auto first = run(store().open(key, Reading::all));
  ASSERT_TRUE(replace("a", "the second"));
  const auto second = run(store().open(key, Reading::all));
  ASSERT_TRUE(append("a", " and more"));
  const auto third = run(store().open(key, Reading::all));
  ASSERT_TRUE(remove("a"));
  EXPECT_EQ(bytes_of(first->content), "first");
  EXPECT_EQ(bytes_of(second->content), "the second");
  EXPECT_EQ(bytes_of(third->content), "the second and more");
}

TEST_P(FileStoreConformance, RemovesAFileOnce) {
  ASSERT_TRUE(replace("a", "12345"));
  EXPECT_EQ(*remove("a"), 5U);
  EXPECT_EQ(code_of(read("a")), "ENOENT");
  EXPECT_TRUE(is(remove("a"), ErrorKind::not_found));
}

TEST_P(FileStoreConformance, SaysThatAFileIsMissingAsNodeDoes) {
  EXPECT_TRUE(is(stat("no/a.txt"), ErrorKind::not_found));
  EXPECT_TRUE(is(read("no/a.txt"), ErrorKind::not_found));
  EXPECT_EQ(message_of(read("no/a.txt")), "ENOENT: no such file or directory, open 'no/a.txt'");
  EXPECT_EQ(message_of(remove("no/a.txt")), "ENOENT: no such file or directory, unlink 'no/a.txt'");
}

TEST_P(FileStoreConformance, MessagesShowThePathAsItWasSent) {
  EXPECT_EQ(message_of(read("x/..//a")), "ENOENT: no such file or directory, open 'x/..//a'");
}

TEST_P(FileStoreConformance, AFolderIsNoFile) {
  ASSERT_TRUE(replace("dir/a", "hello"));
  EXPECT_TRUE(is(stat("dir"), ErrorKind::is_directory));
  EXPECT_EQ(message_of(read("dir")), "EISDIR: illegal operation on a directory, read");
  EXPECT_EQ(code_of(remove("dir")), "EISDIR");
  EXPECT_EQ(*read("dir/a"), "hello");
}

TEST_P(FileStoreConformance, AFolderIsNotOverwritten) {
  ASSERT_TRUE(replace("dir/a", "hello"));
  for (const auto& written : {replace("dir", "x"), append("dir", "x")}) {
    EXPECT_TRUE(is(written, ErrorKind::is_directory));
    EXPECT_EQ(message_of(written), "EISDIR: illegal operation on a directory, open 'dir'");
  }
  EXPECT_EQ(*read("dir/a"), "hello");
}

TEST_P(FileStoreConformance, TheProjectIsNoFile) {
  EXPECT_TRUE(is(remove(""), ErrorKind::is_directory));
  ASSERT_TRUE(replace("a", "hello"));
  EXPECT_TRUE(is(stat(""), ErrorKind::is_directory));
  EXPECT_TRUE(is(read(""), ErrorKind::is_directory));
  EXPECT_TRUE(is(remove(""), ErrorKind::is_directory));
}

TEST_P(FileStoreConformance, NothingIsBelowAFile) {
  ASSERT_TRUE(replace("a", "hello"));
  for (const std::string path : {"a/b", "a/b/c"}) {
    EXPECT_EQ(message_of(read(path)), "ENOTDIR: not a directory, open '" + path + "'");
    EXPECT_EQ(code_of(stat(path)), "ENOTDIR");
    EXPECT_EQ(code_of(remove(path)), "ENOTDIR");
  }
  EXPECT_EQ(*read("a"), "hello");
}

TEST_P(FileStoreConformance, NothingIsWrittenBelowAFile) {
  ASSERT_TRUE(replace("a", "hello"));
  for (const std::string path : {"a/b", "a/b/c"}) {
    EXPECT_TRUE(is(replace(path, "x"), ErrorKind::invalid));
    EXPECT_TRUE(is(append(path, "x"), ErrorKind::invalid));
  }
  EXPECT_EQ(*read("a"), "hello");
  EXPECT_EQ(usage(), 5U);
}

TEST_P(FileStoreConformance, NamesHaveUpTo255Bytes) {
  const std::string longest(255, 'n');
  ASSERT_TRUE(replace(longest, "1"));
  ASSERT_TRUE(replace("dir/" + longest + "/a", "2"));
  EXPECT_EQ(*read(longest), "1");
  const std::string too_long(256, 'n');
  for (const std::string& path : {too_long, "dir/" + too_long, too_long + "/a"}) {
    EXPECT_TRUE(is(replace(path, "x"), ErrorKind::invalid));
    EXPECT_EQ(code_of(replace(path, "x")), "ENAMETOOLONG");
    EXPECT_EQ(code_of(append(path, "x")), "ENAMETOOLONG");
    EXPECT_EQ(code_of(read(path)), "ENAMETOOLONG");
    EXPECT_EQ(code_of(stat(path)), "ENAMETOOLONG");
    EXPECT_EQ(code_of(remove(path)), "ENAMETOOLONG");
  }
}

TEST_P(FileStoreConformance, KeepsUnusualNames) {
  const std::vector<std::string> unusual = {" ",
                                            "a b",
                                            "tab\there",
                                            "new\nline",
                                            "back\\slash",
                                            "100%",
                                            "%2e%2e",
                                            "gr\xC3\xBC\xC3\x9F",
                                            "\xF0\x9F\x90\x8C",
                                            "C:",
                                            "...",
                                            "..hidden",
                                            "name..",
                                            "a'\"b",
                                            ";:&=~*+?#",
                                            "~",
                                            "-",
                                            ".flowstore"};
  for (const std::string& name : unusual) {
    ASSERT_TRUE(replace(name, name)) << name;
    ASSERT_TRUE(replace("dir/" + name + "/" + name, name)) << name;
  }
  for (const std::string& name : unusual) {
    EXPECT_EQ(*read(name), name);
    EXPECT_EQ(*read("dir/" + name + "/" + name), name);
  }
  const std::vector<std::string> listed = names("");
  EXPECT_EQ(listed.size(), unusual.size() + 1);
  for (const std::string& name : unusual) {
    EXPECT_EQ(std::count(listed.begin(), listed.end(), name), 1) << name;
  }
}

TEST_P(FileStoreConformance, KeepsNamesThatAreNoText) {
  const std::string name = "\xFF\xFE";
  ASSERT_TRUE(replace("dir/" + name, "1"));
  EXPECT_EQ(*read("dir/" + name), "1");
  EXPECT_EQ(names("dir"), std::vector<std::string>{name});
}

TEST_P(FileStoreConformance, KeepsNamesApartThatDifferOnlyInCase) {
  ASSERT_TRUE(replace("a", "lower"));
  ASSERT_TRUE(replace("A", "upper"));
  EXPECT_EQ(*read("a"), "lower");
  EXPECT_EQ(*read("A"), "upper");
}

TEST_P(FileStoreConformance, StoresDeepPaths) {
  std::string path;
  for (int depth = 0; depth < 100; ++depth) path += "folder/";
  path += "file";
  ASSERT_TRUE(replace(path, "deep"));
  EXPECT_EQ(*read(path), "deep");
  EXPECT_EQ(usage(), 4U);
}

TEST_P(FileStoreConformance, IsReadyToWork) { EXPECT_TRUE(run(store().probe())); }

}  // namespace
}  // namespace flowstore::files
