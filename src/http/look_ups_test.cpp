#include "http/look_ups.h"

#include <latch>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "support/run.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};

Instant after(steady_clock::duration time) { return steady_clock::now() + time; }

Endpoints some() { return Endpoints(1, {boost::asio::ip::make_address("192.0.2.1"), 80}); }

// "hangs" is not answered before the test says so, anything else at once.
class HangingLibrary {
 public:
  ~HangingLibrary() { answer(); }

  void answer() { answering_->count_down(answering_->try_wait() ? 0 : 1); }
  LookUps::Ask ask() const {
    return [answering = answering_](const std::string& host, std::uint16_t) -> Result<Endpoints> {
      if (host == "hangs") answering->wait();
      return some();
    };
  }

 private:
  std::shared_ptr<std::latch> answering_ = std::make_shared<std::latch>(1);
};

TEST(LookUps, FindTheAddressesOfAName) {
  LookUps look_ups;
  const auto found = run(look_ups.find("localhost", 8080, after(kPatience)));
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_TRUE(found->front().address().is_loopback());
  EXPECT_EQ(found->front().port(), 8080);
}

TEST(LookUps, SayWhatIsNotFound) {
  LookUps look_ups;
  const auto found = run(look_ups.find("host.invalid", 80, after(kPatience)));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind(), ErrorKind::unavailable);
  EXPECT_NE(found.error().message().find("the name host.invalid was not found: "),
            std::string::npos)
      << found.error().message();
}

TEST(LookUps, AskNobodyAboutAnAddress) {
  LookUps look_ups([](const std::string&, std::uint16_t) -> Result<Endpoints> { return some(); });
  const auto found = run(look_ups.find("::1", 80, after(kPatience)));
  EXPECT_EQ(found->front().address().to_string(), "::1");
}

TEST(LookUps, LeaveBehindWhatIsNotAnsweredInTimeAndHoldUpNoOtherName) {
  HangingLibrary library;
  LookUps look_ups(library.ask());
  auto both = [&]() -> Task<> {
    const auto hanging = co_await look_ups.find("hangs", 80, after(milliseconds(20)));
    EXPECT_FALSE(hanging);
    const auto other = co_await look_ups.find("other", 80, after(kPatience));
    EXPECT_TRUE(other);
  };
  run(both());
}

TEST(LookUps, AreLimitedInNumberAndRecover) {
  HangingLibrary library;
  LookUps look_ups(library.ask());
  auto many = [&]() -> Task<> {
    for (std::size_t i = 0; i < LookUps::kMostThreads; ++i) {
      const auto hanging = co_await look_ups.find("hangs", 80, after(milliseconds(1)));
      EXPECT_FALSE(hanging);
    }
    const auto one_more = co_await look_ups.find("other", 80, after(milliseconds(1)));
    EXPECT_FALSE(one_more);
    library.answer();
    const auto again = co_await look_ups.find("other", 80, after(kPatience));
    EXPECT_TRUE(again);
  };
  run(many());
}

TEST(LookUps, MayBeLeftBehindByTheirLoopAndByTheirOwner) {
  HangingLibrary library;
  auto look_ups = std::make_unique<LookUps>(library.ask());
  auto loop = std::make_unique<boost::asio::io_context>();
  auto find = [&]() -> Task<> {
    static_cast<void>(co_await look_ups->find("hangs", 80, after(kPatience)));
    ADD_FAILURE();
  };
  spawn(loop->get_executor(), "test", find());
  loop->poll();
  loop.reset();
  look_ups.reset();
}

}  // namespace
}  // namespace flowstore::http
