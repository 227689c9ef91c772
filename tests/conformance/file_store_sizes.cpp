// Bodies of every size, long paths, and many fast writes.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/file_store_conformance.h"
#include "support/bodies.h"

namespace flowstore::files {
namespace {

// No two neighbouring blocks are alike, so that one that is lost, doubled or misplaced is seen.
std::string body_of(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + (i + i / 4096) % 26);
  return body;
}

std::vector<std::string> pieces_of(std::string_view body, std::size_t piece) {
  std::vector<std::string> pieces;
  for (; !body.empty(); body.remove_prefix(pieces.back().size())) {
    pieces.emplace_back(body.substr(0, piece));
  }
  return pieces;
}

TEST_P(FileStoreConformance, TakesBodiesOfEverySizeInPiecesOfAnySize) {
  // Around the sizes at which drivers begin to use the disk, to write in blocks, to ask for space.
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{4096}, std::size_t{128} << 10U, (std::size_t{128} << 10U) + 1,
        std::size_t{256} << 10U, (std::size_t{256} << 10U) + 1, std::size_t{1} << 20U,
        std::size_t{3} << 20U}) {
    const std::string whole = body_of(size);
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{65'536}, size}) {
      PiecesSource unannounced(pieces_of(whole, piece));
      const auto written = replace(key_of("a"), unannounced);
      ASSERT_TRUE(written) << size << " in pieces of " << piece;
      EXPECT_EQ(written->stat.size, size);
      EXPECT_TRUE(*read("a") == whole) << size << " in pieces of " << piece;

      PiecesSource announced(pieces_of(whole, piece));
      announced.announce(size);
      ASSERT_TRUE(append(key_of("a"), announced)) << size << " in pieces of " << piece;
      EXPECT_TRUE(*read("a") == whole + whole) << size << " in pieces of " << piece;
    }
  }
  EXPECT_EQ(usage(), std::uint64_t{6} << 20U);
}

TEST_P(FileStoreConformance, AnAppendThatBreaksOffLeavesTheOldFile) {
  ASSERT_TRUE(replace("a", "old"));
  const std::string etag = stat("a")->etag;
  for (const std::size_t size : {std::size_t{4}, std::size_t{1} << 20U}) {
    PiecesSource body(pieces_of(body_of(size), 10'000));
    body.break_off(client_went_away());
    EXPECT_FALSE(append(key_of("a"), body));
    EXPECT_EQ(*read("a"), "old");
    EXPECT_EQ(stat("a")->etag, etag);
  }
}

// Short bodies and long ones take different ways, and so do small files and large ones.
TEST_P(FileStoreConformance, AnAppendBeyondTheMostLeavesTheOldFile) {
  for (const std::size_t old : {std::size_t{8}, std::size_t{1} << 20U}) {
    for (const std::size_t more : {std::size_t{8}, std::size_t{1} << 20U}) {
      ASSERT_TRUE(replace("a", body_of(old)));
      const std::string etag = stat("a")->etag;
      const auto refused = append_up_to(old + more - 1, "a", body_of(more));
      ASSERT_FALSE(refused) << more << " behind " << old;
      EXPECT_EQ(refused.error().kind(), ErrorKind::too_large);
      EXPECT_EQ(refused.error().limit(), old + more - 1);
      EXPECT_EQ(stat("a")->etag, etag);
      EXPECT_TRUE(append_up_to(old + more, "a", body_of(more))) << more << " behind " << old;
      EXPECT_EQ(stat("a")->size, old + more);
    }
  }
  EXPECT_FALSE(append_up_to(7, "new", "12345678"));
  EXPECT_EQ(read("new").error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(append_up_to(8, "new", "12345678"));
}

TEST_P(FileStoreConformance, AThousandFastWritesOfOneSizeGiveAThousandEtags) {
  std::set<std::string> etags;
  for (int i = 0; i < 1000; ++i) {
    const auto written = replace("a", "same");
    ASSERT_TRUE(written);
    etags.insert(written->stat.etag);
  }
  EXPECT_EQ(etags.size(), 1000U);
}

TEST_P(FileStoreConformance, AnEtagStaysAsLongAsTheFileDoes) {
  ASSERT_TRUE(replace("a", "1"));
  const std::string etag = stat("a")->etag;
  ASSERT_TRUE(read("a"));
  ASSERT_TRUE(replace("b", "1"));
  ASSERT_TRUE(remove("b"));
  EXPECT_EQ(stat("a")->etag, etag);
}

// A file system may end at paths of 4096 bytes. What is stored can be read; what is refused is
// refused alike for every operation and leaves nothing.
TEST_P(FileStoreConformance, AVeryLongPathIsKeptOrRefused) {
  std::string path;
  while (path.size() < 6000) path += std::string(200, 'd') + "/";
  path += "file";
  const auto written = replace(path, "deep");
  if (written) {
    EXPECT_EQ(*read(path), "deep");
    EXPECT_EQ(usage(), 4U);
    EXPECT_EQ(*remove(path), 4U);
    return;
  }
  EXPECT_EQ(written.error().code(), "ENAMETOOLONG");
  EXPECT_EQ(append(path, "deep").error().code(), "ENAMETOOLONG");
  EXPECT_EQ(read(path).error().code(), "ENAMETOOLONG");
  EXPECT_EQ(stat(path).error().code(), "ENAMETOOLONG");
  EXPECT_EQ(remove(path).error().code(), "ENAMETOOLONG");
  expect_nothing_stored();
}

}  // namespace
}  // namespace flowstore::files
