#include "auth/question.h"

#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flowstore::auth {

Task<Question::Answer> Question::wait(std::shared_ptr<Question> question) {
  auto initiate = [&question](auto handler) {
    auto loop = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                    boost::asio::execution::outstanding_work.tracked);
    // std::function wants to copy; the handler only moves.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto resume = [shared, loop = std::move(loop)] { boost::asio::post(loop, std::move(*shared)); };
    // Kept: once the caller is resumed, elsewhere, its reference may be gone.
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
    const std::shared_ptr<Question> asked = question;
    const std::lock_guard lock(asked->mutex_);
    if (asked->answer_) return resume();
    asked->waiting_.push_back(std::move(resume));
  };
  const boost::asio::use_awaitable_t<> token;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      std::move(initiate), token);
  // No lock: an answer is given once and never changed.
  co_return *question->answer_;
}

void Question::answer(Answer answer) {
  std::vector<std::function<void()>> waiting;
  {
    const std::lock_guard lock(mutex_);
    answer_.emplace(std::move(answer));
    waiting.swap(waiting_);
  }
  for (const auto& resume : waiting) resume();
}

}  // namespace flowstore::auth
