// FileStore: where file contents live.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/content.h"
#include "base/outage_log.h"
#include "base/result.h"
#include "base/task.h"
#include "files/file_key.h"
#include "files/preconditions.h"

namespace flowstore::files {

// A stored file, opened: what it is and its bytes. The content stays what it was at that moment,
// even when the file is replaced or removed meanwhile.
struct OpenFile {
  OpenFile() = default;

  FileStat stat;
  Content content;
};

enum class WriteMode : std::uint8_t {
  replace,  // the body becomes the whole file
  append,   // the body is added to the end of the file, if there is one
};

// What a write did.
struct WriteResult {
  WriteResult() = default;

  FileStat stat;  // of the file as it is now; `modified` may be by our own clock
  // Size of the file before; 0 if there was none. Absent where only one more question to the store
  // could tell; never after an append, or if a file or its absence was expected.
  std::optional<std::uint64_t> replaced_bytes = 0;
};

// What must still be there when a change takes effect.
struct Expected {
  Expected() = default;  // anything or nothing
  explicit Expected(const std::optional<FileStat>& found)
      : what(found ? What::this_file : What::no_file), file(found.value_or(FileStat())) {}

  enum class What : std::uint8_t { anything, no_file, this_file };
  What what = What::anything;
  FileStat file;  // what stat() said of it
  // When whoever asked for the change gives up. A store that waits for others ends with unavailable
  // by then, unless it takes longer because there is much to move. Nothing: it knows best itself.
  std::optional<std::chrono::steady_clock::time_point> until;
};

// What the caller will do with a file that it opens.
enum class Reading : std::uint8_t {
  all,    // most likely send it as it is
  parts,  // look at its stat, and perhaps send a part: bytes that have to be fetched come when
          // asked
};

// One entry of a listing.
struct Entry {
  Entry() = default;

  std::string name;  // relative to the listed folder; "sub/file" in a recursive listing
  bool is_folder = false;
  std::uint64_t size = 0;  // 0 for folders
  std::chrono::system_clock::time_point modified{};
};

// One page of a listing, in the byte order of the names.
struct Listing {
  Listing() = default;

  std::vector<Entry> entries;
  std::optional<std::string> next_cursor;  // where the next page begins; absent on the last one
};

struct ListOptions {
  ListOptions() = default;

  std::size_t limit = 1000;
  std::string cursor;         // from a Listing; empty: from the start
  bool is_recursive = false;  // files at any depth, without the folders between
};

// What a recursive delete removed.
struct RemovedTree {
  RemovedTree() = default;

  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// A body that the store has taken in and nobody sees yet. Dropped without a trace if it is not
// committed.
class Upload {
 public:
  virtual ~Upload() = default;

  virtual std::uint64_t size() const = 0;  // bytes

  // Makes the body the whole file or its new end, creating file and folders if needed. A reader
  // sees the old or the new content, never a mix or a part, also after a crash. Once; again after a
  // conflict: the file is not what was expected. A store that only this process changes does not
  // look.
  virtual Task<Result<WriteResult>> commit(Expected expected) = 0;
};

// A directory, a bucket, or memory.
//
// Knows no quota, no token and no HTTP. Safe to use from any thread; a reference argument must
// outlive the returned task. Callers take turns per key before they commit or remove
// (FileService does): a driver orders nothing, it only keeps each single call whole. After an error
// of kind unavailable the change may have been made all the same.
// Messages of errors name FileKey::sent(), never a place on the server. Every driver passes
// tests/conformance/file_store_conformance.cpp; what that suite does not fix is not promised.
class FileStore {
 public:
  virtual ~FileStore() = default;

  // "localfs", "s3", "memory": for logs and metrics.
  virtual std::string_view name() const = 0;

  // Appends that expect nothing may be committed to one key at the same time, without turns: the
  // store does several at once, for the cost of one.
  virtual bool joins_appends() const { return false; }

  // Takes a body in, to be committed in this way, keeping little of it in memory. Fails with what
  // `body` fails with, no_space, unavailable, or invalid (a name that cannot be stored), and leaves
  // nothing behind.
  virtual Task<Result<std::unique_ptr<Upload>>> receive(const FileKey& key, ByteSource& body,
                                                        WriteMode mode) = 0;

  // not_found (ENOENT), is_directory (EISDIR), invalid (ENOTDIR: below a file; ENAMETOOLONG).
  virtual Task<Result<FileStat>> stat(const FileKey& key) = 0;
  virtual Task<Result<OpenFile>> open(const FileKey& key, Reading reading) = 0;
  // What open() gives, if nothing has to be waited for; nothing otherwise, which is always right.
  virtual std::optional<Result<OpenFile>> open_cached(const FileKey&) { return std::nullopt; }

  // The same without a reason where there is no file, which a store may have to ask more questions
  // for.
  virtual Task<Result<std::optional<FileStat>>> find(const FileKey& key);

  // Removes one file; returns the bytes it held. not_found if there was nothing, is_directory for a
  // folder, conflict as above.
  virtual Task<Result<std::uint64_t>> remove(const FileKey& key, Expected expected) = 0;

  // Removes a folder and everything in it; the project's own folder is emptied. not_found if there
  // is no such folder.
  virtual Task<Result<RemovedTree>> remove_tree(const FileKey& folder) = 0;

  // not_found if there is no such folder; the project's own folder is then an empty page.
  virtual Task<Result<Listing>> list(const FileKey& folder, const ListOptions& options) = 0;

  // Bytes of all files of exactly this project. Costs a walk over the project.
  virtual Task<Result<std::uint64_t>> usage(const ProjectKey& project) = 0;

  // The projects of a team that ever stored a file, in byte order.
  virtual Task<Result<std::vector<ProjectKey>>> projects(std::string_view team) = 0;

  // The teams of such projects, in byte order.
  virtual Task<Result<std::vector<std::string>>> teams() = 0;

  // Can the store work right now? For `check` and readiness.
  virtual Task<Status> probe() = 0;

  // Ends the threads of the store that resume callers, before the loops of those go. Blocks until
  // what has been asked for is done; nothing may be asked for afterwards.
  virtual void stop() {}

  // What requests find out about that anyway; null where nobody keeps count.
  virtual const OutageLog* outage() const { return nullptr; }
};

}  // namespace flowstore::files
