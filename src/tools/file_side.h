// FileSide: one end of a migration of files.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/content.h"
#include "base/result.h"
#include "base/task.h"
#include "files/file_store.h"
#include "tools/session.h"

namespace flowstore::tools {

// Files of projects, wherever they are. Used on one thread's loop by several tasks; a reference
// argument outlives the task. Errors are those of FileStore.
class FileSide {
 public:
  virtual ~FileSide() = default;

  // The projects that have files, in byte order of teams, then projects.
  virtual Task<Result<std::vector<files::ProjectKey>>> projects() = 0;
  // A page of all files below the folder of a project, in the byte order of their names.
  virtual Task<Result<files::Listing>> list(const files::FileKey& folder,
                                            const files::ListOptions& options) = 0;
  virtual Task<Result<files::OpenFile>> open(const files::FileKey& key) = 0;
  virtual Task<Result<std::optional<files::FileStat>>> find(const files::FileKey& key) = 0;
  // Replaces what `found` says is there, whole or not at all, once all of the body has come.
  virtual Task<Status> put(const files::FileKey& key, ByteSource& body,
                           std::optional<files::FileStat> found) = 0;
};

// The files of a store, which must outlive it.
std::unique_ptr<FileSide> store_side(files::FileStore& store);

// A folder that holds the files of this project as they are, such as the volume that FlowFuse
// mounts at /data/storage. Symbolic links, devices and the like are no files; what is written takes
// its name when it is whole and on the disk. Blocks. Fails with one sentence.
Result<std::unique_ptr<FileSide>> tree_side(const std::string& folder, files::ProjectKey project);

}  // namespace flowstore::tools
