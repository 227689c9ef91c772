// Canceller: asks the server to stop a statement, on a thread of its own.

#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

struct pg_cancel;
struct pg_conn;

namespace flowstore::postgres {

// libpq's way of asking blocks until the server has been reached. Asking is best effort: nobody is
// told, and while many wait to be asked the next are left out. Safe to use from any thread.
class Canceller {
 public:
  Canceller();
  ~Canceller();

  // Cancels what runs on the connection; returns at once. The connection may be closed meanwhile.
  void cancel(pg_conn* connection);

 private:
  struct Free {
    void operator()(pg_cancel* request) const noexcept;
  };
  using Request = std::unique_ptr<pg_cancel, Free>;

  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> requests_;  // guarded by mutex_
  bool is_ending_ = false;        // guarded by mutex_
  std::thread thread_;            // last: it uses all of the above
};

}  // namespace flowstore::postgres
