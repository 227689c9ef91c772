#include "server/file_stores.h"

#include "files/localfs/localfs_store.h"
#include "files/memory/memory_store.h"

namespace flowstore::server {
namespace {

files::localfs::Durability durability_of(config::Durability durability) {
  return durability == config::Durability::strict ? files::localfs::Durability::strict
                                                  : files::localfs::Durability::relaxed;
}

}  // namespace

Result<std::unique_ptr<files::FileStore>> make_file_store(const config::DriverConfig& config,
                                                          BlockingPool& io, const Clock& clock,
                                                          Log& log) {
  if (config.type == config::DriverType::memory) {
    return std::unique_ptr<files::FileStore>(
        std::make_unique<files::memory::Store>(config.max_bytes, clock));
  }
  files::localfs::Options options;
  options.root = config.root;
  options.durability = durability_of(config.durability);
  FLOWSTORE_TRY(auto store, files::localfs::Store::make(options, io, clock, log));
  return std::unique_ptr<files::FileStore>(std::move(store));
}

}  // namespace flowstore::server
