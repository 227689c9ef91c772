#include "http/piece_queue.h"

#include <memory>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace flowstore::http {
namespace {

// A loop on which everybody writes down what they do.
class Pieces : public testing::Test {
 protected:
  Task<> send(char name, int pieces) {
    for (int i = 0; i < pieces; ++i) {
      co_await queue_.next();
      log_ += name;
    }
  }
  Task<> do_little(int times) {
    const boost::asio::use_awaitable_t<> token;
    for (int i = 0; i < times; ++i) {
      co_await boost::asio::post(loop_, token);
      log_ += '.';
    }
  }
  void spawn(Task<> task) { boost::asio::co_spawn(loop_, std::move(task), boost::asio::detached); }

  boost::asio::io_context loop_{1};
  PieceQueue queue_{loop_};
  std::string log_;
};

TEST_F(Pieces, TakeTurns) {
  spawn(send('a', 3));
  spawn(send('b', 1));
  spawn(send('c', 2));
  loop_.run();
  EXPECT_EQ(log_, "abcaca");
}

TEST_F(Pieces, LetTheOthersInAfterEachOfThem) {
  for (const char name : {'a', 'b', 'c', 'd'}) spawn(send(name, 3));
  spawn(do_little(13));
  loop_.run();
  ASSERT_EQ(log_.size(), 25U);
  for (std::size_t i = 1; i < log_.size(); ++i) {
    EXPECT_TRUE(log_[i - 1] == '.' || log_[i] == '.') << log_;
  }
}

TEST(PieceQueue, DropsWhoeverWaitsWithTheLoop) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> witness = held;
  {
    boost::asio::io_context loop{1};
    PieceQueue queue(loop);
    bool is_waiting = false;
    const auto wait = [](PieceQueue& of, std::shared_ptr<int> something, bool& at) -> Task<> {
      at = true;
      co_await of.next();
      ++*something;
    };
    boost::asio::co_spawn(loop, wait(queue, std::move(held), is_waiting), boost::asio::detached);
    while (!is_waiting) loop.run_one();
    EXPECT_FALSE(witness.expired());
  }
  EXPECT_TRUE(witness.expired());
}

}  // namespace
}  // namespace flowstore::http
