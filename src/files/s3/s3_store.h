// The s3 driver: files as objects of a bucket, for many processes at once.

#pragma once

#include <memory>
#include <string>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/log.h"
#include "files/file_store.h"
#include "files/key_locks.h"
#include "files/s3/appender.h"
#include "files/s3/byte_budget.h"
#include "files/s3/capabilities.h"
#include "files/s3/changes.h"
#include "files/s3/client.h"
#include "files/s3/incoming.h"
#include "files/s3/objects.h"
#include "files/s3/options.h"
#include "http/connector.h"
#include "metrics/registry.h"

namespace flowstore::files::s3 {

// What the store works with. All must outlive it.
struct Surroundings {
  http::Connector& connector;
  aws::CredentialsProvider& credentials;
  // Kept by all processes that share the bucket; null: nobody keeps any.
  KeyLocks* locks;
  const Clock& clock;
  Log& log;
  metrics::Registry& registry;
};

// AWS S3 and what speaks its language. A key is exactly "team/project/path": what the old server
// stored is read, and the other way round. There are no folders: "a" and "a/b" may both be files,
// and a folder is there as long as something is in it. docs/s3.md says what stores must be able to
// do.
class Store final : public FileStore {
 public:
  // Asks the store for nothing. Error: one sentence about an option.
  static Result<std::unique_ptr<Store>> make(const Options& options, const Surroundings& with);

  Store(Address address, const Options& options, const Surroundings& with);

  // Finds out what the store can do, and logs what the operator should know. Before it has, the
  // first change does so.
  Task<Status> look_at_store();

  std::string_view name() const override { return "s3"; }
  bool joins_appends() const override { return true; }
  Task<Result<std::unique_ptr<Upload>>> receive(const FileKey& key, ByteSource& body,
                                                WriteMode mode) override;
  Task<Result<FileStat>> stat(const FileKey& key) override;
  Task<Result<std::optional<FileStat>>> find(const FileKey& key) override;
  Task<Result<OpenFile>> open(const FileKey& key, Reading reading) override;
  Task<Result<std::uint64_t>> remove(const FileKey& key, Expected expected) override;
  Task<Result<RemovedTree>> remove_tree(const FileKey& folder) override;
  Task<Result<Listing>> list(const FileKey& folder, const ListOptions& options) override;
  Task<Result<std::uint64_t>> usage(const ProjectKey& project) override;
  Task<Result<std::vector<ProjectKey>>> projects(std::string_view team) override;
  Task<Result<std::vector<std::string>>> teams() override;
  Task<Status> probe() override;
  const OutageLog* outage() const override { return &client_.outage(); }

 private:
  Task<Result<Found>> look_up(const FileKey& key, std::string_view operation,
                              Deadline deadline = Deadline());
  Task<Result<OpenFile>> open_now(const FileKey& key);
  // Why there is no such file, in the words of a file system.
  Task<Error> explain_missing(const FileKey& key, std::string_view operation);
  Task<Error> explain_no_folder(const FileKey& folder);

  Client client_;
  Objects objects_;
  CapabilityProbe probe_;
  Changes changes_;
  Appender appender_;
  ByteBudget memory_;
  UploadShop shop_;
  KeyLocks* locks_;
  Log& log_;
};

}  // namespace flowstore::files::s3
