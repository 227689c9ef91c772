#include "tools/stores.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace flowstore::tools {
namespace {

// A command works on a few files at a time.
constexpr std::size_t kBlockingThreads = 8;

Error in_memory(const char* option) {
  return Error(
      ErrorKind::invalid, "tools",
      std::string(option) +
          ": lives in the memory of the server, where no command can reach it; use its API");
}

// With symbolic links followed as far as there is something.
std::string canonical(const std::string& path) {
  std::error_code failed;
  const auto found = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : found.string();
}

}  // namespace

Stores::Stores() : io_(kBlockingThreads), background_(1) {}

// As the server goes about it: first those who may resume somebody, then what they run on.
Stores::~Stores() {
  if (context_) context_->stop();
  context_.reset();
  background_.join();
  backend_.reset();
  io_.join();
}

Result<std::unique_ptr<Stores>> Stores::open(const config::Config& config, Parts parts,
                                             const Clock& clock, Log& log) {
  std::unique_ptr<Stores> made(new Stores);
  if (parts.files) {
    if (config.driver.type == config::DriverType::memory) return in_memory("driver.type memory");
    const server::FileSurroundings with{
        made->io_, made->background_.get_executor(), nullptr, clock, log, made->registry_};
    FLOWSTORE_TRY(made->backend_, server::make_file_backend(config.driver, with));
  }
  if (!parts.context || !config.context.is_on) return made;
  if (server::context_driver(config.context) == "memory") {
    return in_memory("context.options.storage :memory:");
  }
  FLOWSTORE_TRY(made->context_,
                server::make_context_store(config.context, made->io_, clock, log, made->registry_));
  return made;
}

std::string file_identity(const config::DriverConfig& config) {
  const std::string driver(server::file_driver(config));
  const bool is_local = config.type == config::DriverType::localfs;
  return driver + " " + (is_local ? canonical(config.root) : server::file_place(config));
}

std::string context_identity(const config::ContextConfig& config) {
  const std::string driver(server::context_driver(config));
  if (config.database == config::DatabaseType::sqlite) {
    return driver + " " + canonical(config.storage);
  }
  return driver + " " + config.host + ":" + std::to_string(config.port) + "/" +
         config.database_name;
}

Task<Result<std::vector<files::ProjectKey>>> all_projects(files::FileStore& store) {
  std::vector<files::ProjectKey> all;
  FLOWSTORE_CO_TRY(const auto teams, co_await store.teams());
  for (const std::string& team : teams) {
    FLOWSTORE_CO_TRY(const auto projects, co_await store.projects(team));
    all.insert(all.end(), projects.begin(), projects.end());
  }
  co_return all;
}

std::string id_of(const std::string& name) { return name.substr(name.find('/') + 1); }

std::set<std::string> ids_of(const std::vector<std::string>& names) {
  std::set<std::string> ids;
  for (const std::string& name : names) ids.insert(id_of(name));
  return ids;
}

Task<Result<std::vector<context::ProjectUse>>> all_context(context::ContextStore& store) {
  std::vector<context::ProjectUse> all;
  std::string after;
  while (true) {
    FLOWSTORE_CO_TRY(const auto page, co_await store.projects(after));
    if (page.empty()) co_return all;
    all.insert(all.end(), page.begin(), page.end());
    after = page.back().project;
  }
}

}  // namespace flowstore::tools
