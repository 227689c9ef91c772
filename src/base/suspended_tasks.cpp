#include "base/suspended_tasks.h"

#include <utility>

namespace flowstore {

SuspendedTasks::Call::Call(SuspendedTasks& tasks, std::shared_ptr<Suspended> task)
    : waiting_(tasks.waiting_), task_(std::move(task)) {
  const std::lock_guard lock(waiting_->mutex);
  waiting_->tasks.push_back(*task_);
}

SuspendedTasks::Call::~Call() {
  {
    const std::lock_guard lock(waiting_->mutex);
    if (!task_->is_linked()) return;
    waiting_->tasks.erase(waiting_->tasks.iterator_to(*task_));
  }
  // Without the lock: what ends with the task may wake others.
  task_->drop();
}

// Under the lock, so that the loop is there.
void SuspendedTasks::Call::operator()() {
  const std::lock_guard lock(waiting_->mutex);
  if (!task_->is_linked()) return;
  waiting_->tasks.erase(waiting_->tasks.iterator_to(*task_));
  task_->post();
}

void SuspendedTasks::shutdown() noexcept {
  while (true) {
    std::shared_ptr<Suspended> task;  // whoever is to call may let go of it meanwhile
    {
      const std::lock_guard lock(waiting_->mutex);
      if (waiting_->tasks.empty()) return;
      task = waiting_->tasks.front().shared_from_this();
      waiting_->tasks.pop_front();
    }
    task->drop();
  }
}

}  // namespace flowstore
