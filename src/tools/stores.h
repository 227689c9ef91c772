// Stores: the files and the context of a configuration, opened beside a server that may run.

#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "context/context_store.h"
#include "files/file_store.h"
#include "metrics/registry.h"
#include "server/context_stores.h"
#include "server/file_stores.h"

namespace flowstore::tools {

// Which of them a command needs.
struct Parts {
  bool files = true;
  bool context = true;
};

// Where two configurations mean the same place, this is the same text: files, and context.
std::string file_identity(const config::DriverConfig& config);
std::string context_identity(const config::ContextConfig& config);

// Made, used and destroyed on one thread, whose loop outlives it: tasks of the stores are awaited
// on that loop only.
class Stores {
 public:
  // Fails with one sentence: a store cannot be opened, or lives in the memory of a server. `log`
  // and `clock` must outlive the stores, the configuration need not.
  static Result<std::unique_ptr<Stores>> open(const config::Config& config, Parts parts,
                                              const Clock& clock, Log& log);
  ~Stores();

  // Precondition: they were asked for.
  files::FileStore& files() { return backend_->store(); }
  // Null where the configuration has no context, or it was not asked for.
  context::ContextStore* context() { return context_.get(); }

 private:
  Stores();

  metrics::Registry registry_;
  BlockingPool io_;
  boost::asio::thread_pool background_;
  std::unique_ptr<server::FileBackend> backend_;
  std::unique_ptr<context::ContextStore> context_;
};

// Every project that ever stored a file, in byte order of teams, then projects.
Task<Result<std::vector<files::ProjectKey>>> all_projects(files::FileStore& store);

// What context knows of a project that was named as "team/project".
std::string id_of(const std::string& name);
std::set<std::string> ids_of(const std::vector<std::string>& names);

// Every project that has context.
Task<Result<std::vector<context::ProjectUse>>> all_context(context::ContextStore& store);

}  // namespace flowstore::tools
