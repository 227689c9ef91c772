#include "tools/file_side.h"

#include <utility>

#include "tools/stores.h"

namespace flowstore::tools {
namespace {

class StoreSide final : public FileSide {
 public:
  explicit StoreSide(files::FileStore& store) : store_(store) {}

  Task<Result<std::vector<files::ProjectKey>>> projects() override { return all_projects(store_); }
  Task<Result<files::Listing>> list(const files::FileKey& folder,
                                    const files::ListOptions& options) override {
    return store_.list(folder, options);
  }
  Task<Result<files::OpenFile>> open(const files::FileKey& key) override {
    return store_.open(key, files::Reading::all);
  }
  Task<Result<std::optional<files::FileStat>>> find(const files::FileKey& key) override {
    return store_.find(key);
  }
  Task<Status> put(const files::FileKey& key, ByteSource& body,
                   std::optional<files::FileStat> found) override {
    FLOWSTORE_CO_TRY(const auto upload,
                     co_await store_.receive(key, body, files::WriteMode::replace));
    const files::Expected expected(found);
    FLOWSTORE_CO_TRY_STATUS(co_await upload->commit(expected));
    co_return Status();
  }

 private:
  files::FileStore& store_;
};

}  // namespace

std::unique_ptr<FileSide> store_side(files::FileStore& store) {
  return std::make_unique<StoreSide>(store);
}

}  // namespace flowstore::tools
