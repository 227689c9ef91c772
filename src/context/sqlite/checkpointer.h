// Checkpointer: moves the journal into the file, beside the writer.

#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/outage_log.h"
#include "context/sqlite/connection.h"
#include "context/sqlite/sqlite_store.h"

namespace flowstore::context::sqlite {

// A thread with a connection of its own, so that no write waits while thousands of pages go from
// the journal "wal" into the file. Used by one thread.
class Checkpointer {
 public:
  // The references outlive the checkpointer.
  Checkpointer(const Options& options, const Clock& clock, Log& log);
  ~Checkpointer() { stop(); }

  void start();
  // Ends the thread, after what it is doing.
  void stop();
  // Has the journal moved soon; returns at once.
  void ask();

 private:
  void run();
  bool wait();

  const Options& options_;
  OutageLog outage_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_asked_ = false;     // guarded by mutex_
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace flowstore::context::sqlite
