// S3Files: the s3 driver with everything that it needs to live.

#pragma once

#include <memory>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/task.h"
#include "config/config.h"
#include "files/key_locks.h"
#include "files/s3/s3_store.h"
#include "http/connector.h"
#include "http/trust.h"
#include "metrics/registry.h"

namespace flowstore::server {

// Made and destroyed on one thread; its store is used on any.
class S3Files {
 public:
  // Asks nobody for anything. `locks` may be null; all references, and what runs on `background`,
  // must outlive it.
  static Result<std::unique_ptr<S3Files>> make(const config::S3Config& config,
                                               files::KeyLocks* locks, const Executor& background,
                                               const Clock& clock, Log& log,
                                               metrics::Registry& registry);

  files::s3::Store& store() noexcept { return *store_; }

 private:
  S3Files(const config::S3Config& config, const Executor& background, const Clock& clock, Log& log);

  // In the order in which they need each other.
  http::Trust trust_;
  http::Connector connector_;
  std::unique_ptr<aws::CredentialsProvider> credentials_;
  std::unique_ptr<files::s3::Store> store_;
};

}  // namespace flowstore::server
