// PieceQueue: which of a loop's long answers goes on.

#pragma once

#include <deque>

#include <boost/asio/io_context.hpp>

#include "base/suspend.h"
#include "base/task.h"

namespace flowstore::http {

// Long answers of one loop take turns, a piece each, and after every single piece the loop looks at
// its other sockets: whoever asks for little waits for one piece and not for one of everybody. Used
// on the loop's thread; whoever waits is dropped with the queue, which must die before the loop.
class PieceQueue {
 public:
  explicit PieceQueue(boost::asio::io_context& loop) : loop_(loop) {}

  // Waits for the turn to send a piece, which is to be sent before the next suspension.
  Task<> next();

 private:
  void call_next();

  boost::asio::io_context& loop_;
  std::deque<Resume> waiting_;
  bool is_calling_ = false;
};

}  // namespace flowstore::http
