// SuspendedTasks: tasks that wait for a call, and end with their loop as all others do.

#pragma once

#include <memory>
#include <mutex>

#include <boost/asio/execution_context.hpp>
#include <boost/intrusive/list.hpp>

namespace flowstore {

// A task that somebody is to wake. Whoever does so shares it; it ends with the last of them, with
// the call, or with the task's loop, whichever is first. Any thread.
class Suspended : public boost::intrusive::list_base_hook<>,
                  public std::enable_shared_from_this<Suspended> {
 public:
  virtual ~Suspended() = default;
  Suspended(const Suspended&) = delete;
  Suspended& operator=(const Suspended&) = delete;

 protected:
  Suspended() = default;

 private:
  friend class SuspendedTasks;
  virtual void post() = 0;           // the task goes on, on its own loop
  virtual void drop() noexcept = 0;  // the task ends here
};

// Those of one loop, a service of its execution context. What waits on a timer or a socket belongs
// to the loop and dies with it; a task that waits for a call belongs to the one who is to call, who
// may live longer than the loop that the task's objects refer to.
class SuspendedTasks final : public boost::asio::execution_context::service {
 public:
  using key_type = SuspendedTasks;
  static inline boost::asio::execution_context::id id;

  explicit SuspendedTasks(boost::asio::execution_context& owner) : service(owner) {}

  // Lets the task go on if it has not yet, and its loop is still there. It goes on through the
  // executor, never inline.
  class Call;

 private:
  // Outlives the loop with the last call for one of its tasks.
  struct Waiting {
    std::mutex mutex;
    boost::intrusive::list<Suspended, boost::intrusive::constant_time_size<false>> tasks;
  };

  void shutdown() noexcept override;

  std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
};

class SuspendedTasks::Call {
 public:
  // Of the thread of the task's loop.
  Call(SuspendedTasks& tasks, std::shared_ptr<Suspended> task);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void operator()();

 private:
  std::shared_ptr<Waiting> waiting_;
  std::shared_ptr<Suspended> task_;
};

}  // namespace flowstore
