#include "context/postgres/write_queue.h"

#include <deque>

#include <gtest/gtest.h>

namespace flowstore::context::postgres {
namespace {

const Caller kCaller;

class PostgresWriteQueue : public testing::Test {
 protected:
  Write& add(const std::string& project, std::size_t bytes = 1, bool is_single = false) {
    const RowKey& key = keys_.emplace_back(project, "s" + std::to_string(keys_.size()));
    Write& write = writes_.emplace_back(Write::Kind::replace, kCaller, key, Instant::max());
    write.values = std::string(bytes, 'x');
    write.is_single = is_single;
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

TEST_F(PostgresWriteQueue, TakesOneOfEachProject) {
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

TEST_F(PostgresWriteQueue, LetsProjectsTakeTurns) {
  Write& a = add("a");
  add("a");
  add("b");
  EXPECT_EQ(take(1), "s0 ");
  queue_.finish(a);
  EXPECT_EQ(take(1), "s2 ");
  EXPECT_EQ(take(1), "s1 ");
}

TEST_F(PostgresWriteQueue, TakesNoMoreBytesThanAsked) {
  add("a", 600);
  add("b", 600);
  add("c", 300);
  EXPECT_EQ(take(10), "s0 s2 ");
  EXPECT_EQ(take(10, 10), "s1 ") << "one, however long";
}

TEST_F(PostgresWriteQueue, KeepsSingleWritesAlone) {
  add("a");
  add("b", 1, true);
  add("c");
  EXPECT_EQ(take(10), "s0 s2 ");
  EXPECT_EQ(queue_.ready(), 0U);
  EXPECT_EQ(queue_.singles(), 1U);
  EXPECT_EQ(queue_.take_single().at(0)->key.scope, "s1");
  EXPECT_TRUE(queue_.take_single().empty());
}

TEST_F(PostgresWriteQueue, LetsAWriteThatIsPutBackGoFirst) {
  Write& first = add("a");
  add("a");
  take(10);
  queue_.put_back(first);
  EXPECT_EQ(take(10), "s0 ");
}

TEST_F(PostgresWriteQueue, ForgetsWhatIsDropped) {
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

TEST_F(PostgresWriteQueue, LooksAgainAtWhatComesNextWhenOneIsDropped) {
  add("a", 1, true);
  add("a");
  queue_.drop_if([](const Write& write) { return write.is_single; }, [](Write&) {});
  EXPECT_EQ(queue_.singles(), 0U);
  EXPECT_EQ(take(10), "s1 ");
}

TEST_F(PostgresWriteQueue, GoesOnWhenAllThatWaitedIsDropped) {
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
