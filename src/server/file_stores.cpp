#include "server/file_stores.h"

#include <utility>

#include "files/localfs/localfs_store.h"
#include "files/memory/memory_store.h"
#include "server/s3_files.h"

namespace flowstore::server {
namespace {

// A store of this machine.
class LocalBackend final : public FileBackend {
 public:
  explicit LocalBackend(std::unique_ptr<files::FileStore> store) : store_(std::move(store)) {}

  files::FileStore& store() override { return *store_; }

 private:
  std::unique_ptr<files::FileStore> store_;
};

class S3Backend final : public FileBackend {
 public:
  S3Backend(std::unique_ptr<S3Files> files, Executor background)
      : files_(std::move(files)), background_(std::move(background)) {}

  files::FileStore& store() override { return files_->store(); }
  void start() override { spawn(background_, "look at the S3 store", look(files_->store())); }

 private:
  // A store that is down is looked at again with the first change.
  static Task<> look(files::s3::Store& store) { static_cast<void>(co_await store.look_at_store()); }

  std::unique_ptr<S3Files> files_;
  Executor background_;
};

files::localfs::Durability durability_of(config::Durability durability) {
  return durability == config::Durability::strict ? files::localfs::Durability::strict
                                                  : files::localfs::Durability::relaxed;
}

std::unique_ptr<FileBackend> local(std::unique_ptr<files::FileStore> store) {
  return std::make_unique<LocalBackend>(std::move(store));
}

}  // namespace

Result<std::unique_ptr<FileBackend>> make_file_backend(const config::DriverConfig& config,
                                                       const FileSurroundings& with) {
  if (config.type == config::DriverType::memory) {
    return local(std::make_unique<files::memory::Store>(config.max_bytes, with.clock));
  }
  if (config.type == config::DriverType::s3) {
    FLOWSTORE_TRY(auto files, S3Files::make(config.s3, with.locks, with.background, with.clock,
                                            with.log, with.registry));
    return std::unique_ptr<FileBackend>(
        std::make_unique<S3Backend>(std::move(files), with.background));
  }
  files::localfs::Options options;
  options.root = config.root;
  options.durability = durability_of(config.durability);
  options.keeps_log = config.keeps_log;
  FLOWSTORE_TRY(auto store,
                files::localfs::Store::make(options, with.io, with.clock, with.log, with.registry));
  return local(std::move(store));
}

std::string_view file_driver(const config::DriverConfig& config) {
  switch (config.type) {
    case config::DriverType::localfs:
      return "localfs";
    case config::DriverType::s3:
      return "s3";
    case config::DriverType::memory:
      return "memory";
  }
  return "";
}

std::string file_place(const config::DriverConfig& config) {
  if (config.type == config::DriverType::localfs) return config.root;
  if (config.type == config::DriverType::memory) return "this process";
  const std::string& endpoint = config.s3.endpoint;
  return "bucket " + config.s3.bucket + (endpoint.empty() ? " at AWS" : " at " + endpoint);
}

}  // namespace flowstore::server
