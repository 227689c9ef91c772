// Everything on the checkpointer's own thread blocks for the disk.

#include "context/sqlite/checkpointer.h"

#include <utility>

#include <sqlite3.h>

#include "context/sqlite/schema.h"

namespace flowstore::context::sqlite {

Checkpointer::Checkpointer(const Options& options, const Clock& clock, Log& log)
    : options_(options),
      outage_(clock, log,
              "the journal of the context database cannot be moved into its file, and grows; check "
              "the disk",
              "the journal of the context database is moved into its file again") {}

void Checkpointer::start() {
  thread_ = std::thread([this] { run(); });
}

void Checkpointer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::ask() {
  {
    const std::lock_guard lock(mutex_);
    is_asked_ = true;
  }
  wake_.notify_one();
}

bool Checkpointer::wait() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return is_asked_ || is_stopping_; });
  is_asked_ = false;
  return !is_stopping_;
}

// Opens the file when it is needed, and anew after trouble.
void Checkpointer::run() {
  Connection connection;
  bool is_open = false;
  while (wait()) {
    if (!is_open) is_open = open_for_reading(connection, options_) == SQLITE_OK;
    const bool is_moved = is_open && connection.move_journal() == SQLITE_OK;
    if (is_moved) {
      outage_.answered();
    } else {
      outage_.failed(connection.message());
      is_open = false;
    }
  }
}

}  // namespace flowstore::context::sqlite
