#include "context/postgres/write_queue.h"

#include <deque>

#include <gtest/gtest.h>

namespace flowstore::context::postgres {
namespace {

const Caller kCaller;

class WriteQueueTest : public testing::Test {
 protected:
  Write& add(const std::string& project, std::size_t bytes = 1) {
    const RowKey& key = keys_.emplace_back(project, "s" + std::to_string(keys_.size()));
    Write& write = writes_.emplace_back(Write::Kind::replace, kCaller, key, Instant::max());
    write.values = std::string(bytes, 'x');
    queue_.add(write);
    return write;
  }
  std::string take(std::size_t most, std::size_t bytes = 1000) {
    std::string names;
    for (const Write* write : queue_.take(most, bytes)) names += write->key.scope + " ";
    return names;
  }

  WriteQueue queue_;

 private:
  std::deque<RowKey> keys_;
  std::deque<Write> writes_;
};

TEST_F(WriteQueueTest, TakesOneOfEachProject) {
  Write& first = add("a");
  add("a");
  add("b");
  EXPECT_EQ(queue_.ready(), 2U);
  EXPECT_EQ(take(10), "s0 s2 ");
  EXPECT_EQ(take(10), "");
  queue_.finish(first);
  EXPECT_EQ(take(10), "s1 ");
  EXPECT_EQ(queue_.waiting(), 0U);
}

TEST_F(WriteQueueTest, LetsProjectsTakeTurns) {
  Write& a = add("a");
  add("a");
  add("b");
  EXPECT_EQ(take(1), "s0 ");
  queue_.finish(a);
  EXPECT_EQ(take(1), "s2 ");
  EXPECT_EQ(take(1), "s1 ");
}

TEST_F(WriteQueueTest, TakesNoMoreBytesThanAsked) {
  add("a", 600);
  add("b", 600);
  add("c", 300);
  EXPECT_EQ(take(10), "s0 s2 ");
  EXPECT_EQ(take(10, 10), "s1 ") << "one, however long";
}

TEST_F(WriteQueueTest, KeepsSingleWritesAlone) {
  add("a");
  add("b").is_single = true;
  add("c");
  EXPECT_EQ(take(10), "s0 s2 ");
  EXPECT_EQ(take(10), "s1 ");
}

TEST_F(WriteQueueTest, LetsAWriteThatIsPutBackGoFirst) {
  Write& first = add("a");
  add("a");
  take(10);
  queue_.put_back(first);
  EXPECT_EQ(take(10), "s0 ");
}

TEST_F(WriteQueueTest, ForgetsWhatIsDropped) {
  add("a");
  add("a");
  add("b");
  std::string dropped;
  queue_.drop_if([](const Write& write) { return write.key.project == "a"; },
                 [&dropped](Write& write) { dropped += write.key.scope; });
  EXPECT_EQ(dropped, "s0s1");
  EXPECT_EQ(queue_.ready(), 1U);
  EXPECT_EQ(take(10), "s2 ");
}

TEST_F(WriteQueueTest, GoesOnWhenAllThatWaitedIsDropped) {
  Write& first = add("a");
  add("a");
  take(10);
  queue_.drop_if([](const Write&) { return true; }, [](Write&) {});
  queue_.finish(first);
  add("a");
  EXPECT_EQ(take(10), "s2 ");
}

}  // namespace
}  // namespace flowstore::context::postgres
