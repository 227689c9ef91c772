#include "context/sqlite/write_queue.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace flowstore::context::sqlite {
namespace {

using std::chrono::seconds;

class WriteQueueTest : public testing::Test {
 protected:
  Job& job(const std::string& project, std::size_t bytes = 0, seconds deadline = seconds(100)) {
    names_.push_back(std::make_unique<std::string>(project));
    jobs_.push_back(std::make_unique<Job>(caller_, *names_.back(), bytes, Change()));
    jobs_.back()->deadline = Clock::Instant(deadline);
    return *jobs_.back();
  }

  // The projects of what is taken.
  std::string take(WriteQueue& queue, std::size_t jobs = 100, std::size_t bytes = 100) {
    Jobs taken;
    queue.take(taken, jobs, bytes);
    std::string projects;
    for (const Job* one : taken) projects += one->project;
    return projects;
  }

  Caller caller_;
  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<std::unique_ptr<Job>> jobs_;
};

TEST_F(WriteQueueTest, ProjectsTakeTurns) {
  WriteQueue queue;
  for (const char* project : {"a", "a", "a", "a", "b", "c", "b"}) {
    ASSERT_TRUE(queue.add(job(project)));
  }
  EXPECT_EQ(queue.size(), 7U);
  EXPECT_EQ(take(queue, 2), "ab");
  ASSERT_TRUE(queue.add(job("d")));
  EXPECT_EQ(take(queue), "cabdaa");
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_EQ(take(queue), "");
  ASSERT_TRUE(queue.add(job("a")));
  EXPECT_EQ(take(queue), "a");
}

TEST_F(WriteQueueTest, TheFirstOfAProjectIsFirst) {
  WriteQueue queue;
  Jobs added;
  for (int i = 0; i < 5; ++i) {
    added.push_back(&job("a"));
    ASSERT_TRUE(queue.add(*added.back()));
  }
  Jobs taken;
  queue.take(taken, 2, 100);
  queue.take(taken, 5, 100);
  EXPECT_EQ(taken, added);
}

TEST_F(WriteQueueTest, TakesNoMoreBytesThanAsked) {
  WriteQueue queue;
  ASSERT_TRUE(queue.add(job("a", 60)));
  ASSERT_TRUE(queue.add(job("b", 40)));
  ASSERT_TRUE(queue.add(job("c", 1)));
  ASSERT_TRUE(queue.add(job("d", 500)));
  EXPECT_EQ(take(queue), "ab");
  EXPECT_EQ(take(queue), "c");
  EXPECT_EQ(take(queue), "d") << "one at least";
}

TEST_F(WriteQueueTest, HasBounds) {
  WriteQueue::Bounds bounds;
  bounds.jobs = 5;
  bounds.bytes = 100;
  bounds.jobs_of_project = 3;
  bounds.bytes_of_project = 50;
  {
    WriteQueue queue(bounds);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.add(job("a")));
    EXPECT_FALSE(queue.add(job("a"))) << "its share is full";
    EXPECT_TRUE(queue.add(job("b")));
    EXPECT_TRUE(queue.add(job("b")));
    EXPECT_FALSE(queue.add(job("c"))) << "all is full";
    EXPECT_EQ(take(queue, 1), "a");
    EXPECT_TRUE(queue.add(job("c")));
  }
  {
    WriteQueue queue(bounds);
    EXPECT_TRUE(queue.add(job("a", 30)));
    EXPECT_FALSE(queue.add(job("a", 21)));
    EXPECT_TRUE(queue.add(job("a", 20)));
    EXPECT_TRUE(queue.add(job("b", 50)));
    EXPECT_FALSE(queue.add(job("c", 1)));
    EXPECT_EQ(take(queue, 2), "ab");
    EXPECT_TRUE(queue.add(job("c", 80))) << "a project may always have one";
  }
  {
    WriteQueue queue(bounds);
    EXPECT_TRUE(queue.add(job("a", 1000))) << "the only one may be as large as it likes";
    EXPECT_FALSE(queue.add(job("b", 1)));
  }
}

TEST_F(WriteQueueTest, GivesOutThoseWhoseTimeIsOver) {
  WriteQueue queue;
  Caller gone;
  const std::string project = "a";
  Job left(gone, project, 10, Change());
  left.deadline = Clock::Instant(seconds(100));
  ASSERT_TRUE(queue.add(job("a", 10, seconds(7))));
  ASSERT_TRUE(queue.add(left));
  ASSERT_TRUE(queue.add(job("b", 10, seconds(5))));
  ASSERT_TRUE(queue.add(job("a", 10, seconds(9))));
  Jobs late;
  queue.take_late(Clock::Instant(seconds(4)), late);
  EXPECT_EQ(late, Jobs());
  gone.leave();
  queue.take_late(Clock::Instant(seconds(7)), late);
  EXPECT_EQ(late.size(), 3U);
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(take(queue), "a");
  ASSERT_TRUE(queue.add(job("b")));
  ASSERT_TRUE(queue.add(job("a")));
  EXPECT_EQ(take(queue), "ba");
}

}  // namespace
}  // namespace flowstore::context::sqlite
