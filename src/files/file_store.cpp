#include "files/file_store.h"

namespace flowstore::files {

Task<Result<std::optional<FileStat>>> FileStore::find(const FileKey& key) {
  auto stat = co_await this->stat(key);
  if (stat) co_return std::optional<FileStat>(*std::move(stat));
  const ErrorKind kind = stat.error().kind();
  // A folder is no file. The store says so in the right words when it is asked to change it.
  const bool is_none = kind == ErrorKind::not_found || kind == ErrorKind::is_directory;
  if (is_none) co_return std::optional<FileStat>();
  co_return std::move(stat).error();
}

}  // namespace flowstore::files
