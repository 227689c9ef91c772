#include "auth/question.h"

#include <utility>

namespace flowstore::auth {

Task<Question::Answer> Question::wait(std::shared_ptr<Question> question) {
  auto begin = [&question](Resume resume) {
    // Kept: once the caller is resumed, elsewhere, its reference may be gone.
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
    const std::shared_ptr<Question> asked = question;
    const std::lock_guard lock(asked->mutex_);
    if (asked->answer_) return resume();
    asked->waiting_.push_back(std::move(resume));
  };
  co_await suspend(std::move(begin));
  // No lock: an answer is given once and never changed.
  co_return *question->answer_;
}

void Question::answer(Answer answer) {
  std::vector<Resume> waiting;
  {
    const std::lock_guard lock(mutex_);
    answer_.emplace(std::move(answer));
    waiting.swap(waiting_);
  }
  for (const Resume& resume : waiting) resume();
}

}  // namespace flowstore::auth
