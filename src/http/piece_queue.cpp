#include "http/piece_queue.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "base/offload.h"

namespace flowstore::http {

Task<> PieceQueue::next() {
  auto begin = [this](Resume resume) {
    waiting_.push_back(std::move(resume));
    call_next();
  };
  return suspend(std::move(begin));
}

// What is posted comes after what is ready now, and the loop asks the kernel before it comes to
// what that posts in turn.
void PieceQueue::call_next() {
  if (is_calling_ || waiting_.empty()) return;
  is_calling_ = true;
  boost::asio::post(loop_, [this] {
    is_calling_ = false;
    yield_to_offloaded_work();
    const Resume go_on = std::move(waiting_.front());
    waiting_.pop_front();
    go_on();
    call_next();
  });
}

}  // namespace flowstore::http
