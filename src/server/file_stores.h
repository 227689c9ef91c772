// Making the file store that the configuration names.

#pragma once

#include <memory>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "files/file_store.h"

namespace flowstore::server {

// Opens the store; fails with one sentence that says what to do. All references must outlive it.
Result<std::unique_ptr<files::FileStore>> make_file_store(const config::DriverConfig& config,
                                                          BlockingPool& io, const Clock& clock,
                                                          Log& log);

}  // namespace flowstore::server
