// Question: something asked once for everybody who wants to know.

#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "auth/token_verifier.h"
#include "base/suspend.h"

namespace flowstore::auth {

// Whether a token is good, as answered to all who asked at the same time. Safe to use from any
// thread.
class Question {
 public:
  struct Answer {
    explicit Answer(Result<Grant> result, bool stale = false)
        : grant(std::move(result)), is_stale(stale) {}

    Result<Grant> grant;
    bool is_stale;  // an old grant, because nobody could be asked
  };

  // Suspends until the question is answered; the caller is resumed on its own executor, which must
  // exist as long as it waits.
  static Task<Answer> wait(std::shared_ptr<Question> question);

  // Resumes everybody who waits. Once.
  void answer(Answer answer);

 private:
  std::mutex mutex_;
  std::optional<Answer> answer_;  // guarded by mutex_
  std::vector<Resume> waiting_;   // guarded by mutex_
};

}  // namespace flowstore::auth
