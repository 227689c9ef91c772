// Making the file store that the configuration names.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/task.h"
#include "config/config.h"
#include "files/file_store.h"
#include "files/key_locks.h"
#include "metrics/registry.h"

namespace flowstore::server {

// A store with everything that it needs to live.
class FileBackend {
 public:
  virtual ~FileBackend() = default;

  virtual files::FileStore& store() = 0;
  // Begins what goes on beside requests. Once, before the first of them.
  virtual void start() {}
};

// What a store works with. All must outlive it, and what runs on `background`, too.
struct FileSurroundings {
  BlockingPool& io;
  Executor background;     // runs on one thread
  files::KeyLocks* locks;  // shared with other processes; may be null
  const Clock& clock;
  Log& log;
  metrics::Registry& registry;
};

// Opens the store; fails with one sentence that says what to do. A store on a network need not be
// there yet.
Result<std::unique_ptr<FileBackend>> make_file_backend(const config::DriverConfig& config,
                                                       const FileSurroundings& with);

// For logs and `flowstore check`: "localfs", and where the files are.
std::string_view file_driver(const config::DriverConfig& config);
std::string file_place(const config::DriverConfig& config);

}  // namespace flowstore::server
