#include "http/head_buffer.h"

#include <string>

#include <gtest/gtest.h>

namespace flowstore::http {
namespace {

constexpr std::size_t kHeadBytes = 16 * 1024;

void receive(HeadBuffer& buffer, std::string_view bytes) {
  while (!bytes.empty()) {
    ASSERT_TRUE(buffer.grow(kHeadBytes));
    const std::size_t size = std::min(bytes.size(), buffer.space().size());
    std::copy_n(bytes.begin(), size, buffer.space().begin());
    buffer.add(size);
    bytes.remove_prefix(size);
  }
}

std::string_view text(HeadBuffer& buffer) { return std::string_view(buffer.data(), buffer.size()); }

TEST(HeadBuffer, KeepsItsBytesWhileItGrows) {
  HeadBuffer buffer;
  std::string bytes;
  for (int i = 0; i < 10'000; ++i) bytes += std::to_string(i);
  receive(buffer, bytes);
  EXPECT_EQ(text(buffer), bytes);
}

TEST(HeadBuffer, EndsWhereNoHeadCanBeLonger) {
  HeadBuffer buffer;
  std::size_t size = 0;
  while (buffer.grow(kHeadBytes)) {
    ASSERT_FALSE(buffer.space().empty());
    size += buffer.space().size();
    buffer.add(buffer.space().size());
  }
  EXPECT_GE(size, 5 * kHeadBytes);
  EXPECT_LE(size, 6 * kHeadBytes);
}

TEST(HeadBuffer, GoesOnWithWhatFollowsARequest) {
  HeadBuffer buffer;
  receive(buffer, "firstsecondth");
  buffer.set_parsed(13);
  buffer.keep_surplus(5, {});
  EXPECT_EQ(text(buffer), "secondth");
  EXPECT_EQ(buffer.parsed(), 0u);
  EXPECT_EQ(buffer.unparsed(), 8u);
  buffer.keep_surplus(6, {});
  receive(buffer, "ird");
  EXPECT_EQ(text(buffer), "third");
}

TEST(HeadBuffer, MovesARequestToTheFrontWhenSpaceRunsOut) {
  HeadBuffer buffer;
  ASSERT_TRUE(buffer.grow(kHeadBytes));
  const std::size_t capacity = buffer.space().size();
  receive(buffer, std::string(capacity - 2, 'a') + "bc");
  buffer.keep_surplus(capacity - 2, {});
  receive(buffer, "def");
  EXPECT_EQ(text(buffer), "bcdef");
  EXPECT_EQ(buffer.space().size(), capacity - 5);
}

TEST(HeadBuffer, TakesOverWhatCameWithABody) {
  HeadBuffer buffer;
  receive(buffer, "head");
  const std::string surplus(100'000, 's');
  buffer.keep_surplus(4, surplus);
  EXPECT_EQ(text(buffer), surplus);
}

TEST(HeadBuffer, GivesUnusualMemoryBack) {
  HeadBuffer buffer;
  receive(buffer, std::string(50'000, 'a'));
  buffer.clear();
  EXPECT_TRUE(buffer.space().empty());
  receive(buffer, "next");
  EXPECT_EQ(text(buffer), "next");
  buffer.clear();
  EXPECT_EQ(buffer.size(), 0u);
  EXPECT_FALSE(buffer.space().empty());
}

}  // namespace
}  // namespace flowstore::http
